import { expect, it } from 'vitest'
import { makeSite } from './site.ts'

// Ctrl-C is the same path as a failure, so this goes through what is taken back from every place of a deploy.
it(
  'interrupted after any command, a deploy leaves both hosts on one release and nothing half done',
  { timeout: 240_000 },
  async () => {
    await using site = makeSite()
    const hosts = [site.web1, site.db1]
    expect((await site.run('deploy:migrations')).problems).toEqual([])
    const options = { keepReleases: 100 }
    for (let stopAfter = 1, done = false; !done; stopAfter++) {
      site.git.commit({ 'app.txt': String(stopAfter) })
      const before = hosts.map((host) => host.list('releases'))
      const around = hosts.map((host) => [host.list(''), host.list('.deployfile'), host.list('..')])
      const [old] = hosts.map((host) => host.live())
      let commands = 0
      const ran = await site.run('deploy:migrations', {
        options,
        onEvent(event, stop) {
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
      const kept = one === old ? [] : [one]
      expect(
        hosts.map((host) => host.list('releases')),
        where,
      ).toEqual(before.map((names) => [...names, ...kept]))
      const afterwards = hosts.map((host) => [host.list(''), host.list('.deployfile'), host.list('..')])
      expect(afterwards, where).toEqual(around)
      for (const host of hosts) {
        expect(host.link('current'), where).toBe(`${host.deployTo}/releases/${host.live()}`)
        // What was started last is what is served.
        expect(host.read('../restarts').trim().split('\n').at(-1), where).toBe(
          host.read('current/REVISION').trim(),
        )
      }
    }
  },
)
