import { expect, it } from 'vitest'
import type { DeployOptions } from '../src/index.ts'
import { makeSite } from './site.ts'

// Ctrl-C is the same path as a failure, so this goes through what is taken back from every place of a deploy.
it.each([
  ['goes back', 'rollback-despite-migrations'],
  ['stays once every host is flipped, because migrations ran', 'rollback'],
] as const)(
  'interrupted after any command, a deploy leaves both hosts on one release and nothing half done: it %s',
  { timeout: 400_000 },
  async (_, onUnhealthy) => {
    await using site = makeSite()
    const hosts = [site.web1, site.db1]
    expect((await site.run('deploy:migrations')).problems).toEqual([])
    const options: Partial<DeployOptions> = { keepReleases: 100, onUnhealthy }
    let stayed = 0
    for (let stopAfter = 1, done = false; !done; stopAfter++) {
      site.git.commit({ 'app.txt': String(stopAfter) })
      const before = hosts.map((host) => host.list('releases'))
      const around = hosts.map((host) => [host.list(''), host.list('.deployfile'), host.list('..')])
      const [old] = hosts.map((host) => host.live())
      let commands = 0
      const healthy: boolean[] = []
      const ran = await site.run('deploy:migrations', {
        options,
        onEvent(event, stop) {
          if (event.type === 'node.ended' && event.node === 'deploy:healthy')
            healthy.push(event.status === 'done')
          if (
            event.type !== 'node.command' ||
            event.phase !== 'run' ||
            event.event.type !== 'command.started'
          )
            return
          if (++commands === stopAfter) stop()
        },
      })
      done = commands < stopAfter
      const where = `stopped after ${stopAfter} commands`
      expect(ran.problems, where).toEqual([])
      expect(ran.status, where).toBe(done ? 'done' : 'cancelled')
      const [one, other] = hosts.map((host) => host.live())
      expect(one, where).toBe(other)
      const isNew = one !== old
      if (isNew && healthy[0] !== true) {
        stayed++
        expect(ran.logs.join('\n'), where).toContain('because migrations ran; to go back: npx deployfile')
      }
      expect(
        hosts.map((host) => host.list('releases')),
        where,
      ).toEqual(before.map((names) => [...names, ...(isNew ? [one] : [])]))
      const afterwards = hosts.map((host) => [host.list(''), host.list('.deployfile'), host.list('..')])
      expect(afterwards, where).toEqual(around)
      for (const host of hosts) {
        expect(host.link('current'), where).toBe(`${host.deployTo}/releases/${host.live()}`)
        if (isNew && healthy[0] !== true) continue
        // What was started last is what is served.
        expect(host.read('../restarts').trim().split('\n').at(-1), where).toBe(
          host.read('current/REVISION').trim(),
        )
      }
    }
    if (onUnhealthy === 'rollback') expect(stayed).toBeGreaterThan(0)
    else expect(stayed).toBe(0)
  },
)
