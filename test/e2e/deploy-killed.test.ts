import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { servicesFound } from '../servers/service.ts'
import type { Ended } from './command.ts'
import { startFleet, type Fleet } from './fleet.ts'
import { sample } from './sample.ts'
import { expectServing, expectSettled } from './settled.ts'
import { makeStrike, type Strike, type Struck } from './strike.ts'

/**
 * Places at which a deploy is killed. All of them, which takes a quarter of an hour: DEPLOYFILE_KILL=all. Others than these:
 * DEPLOYFILE_KILL=<seed>.
 */
const WHICH = process.env['DEPLOYFILE_KILL'] ?? '1'
const SAMPLE = 7

describe.runIf(servicesFound('sshd'))('a deploy on three hosts that is killed', () => {
  let fleet: Fleet
  let strike: Strike
  let revision = ''
  let count = 0

  beforeAll(async () => {
    fleet = await startFleet({
      ...{ hosts: ['web1', 'web2', 'web3'], path: 'strike' },
      deploy: `keepReleases: 3, restart: 'cp -f REVISION ../../served'`,
    })
    strike = makeStrike(join(fleet.root, 'strike'))
    revision = fleet.origin.revision()
    const first = await fleet.run('deploy')
    expect(first, first.output).toMatchObject({ code: 0 })
    commit()
    strike.arm(Infinity, 'tool')
    const second = await fleet.run('deploy')
    expect(second, second.output).toMatchObject({ code: 0 })
    count = strike.count()
    strike.disarm()
  })
  afterAll(() => fleet[Symbol.asyncDispose]())

  function commit(): void {
    revision = fleet.origin.commit({ 'app.txt': `${revision}\n` })
  }

  async function killedAfter(commands: number, struck: Struck): Promise<Ended> {
    commit()
    strike.arm(commands, struck)
    const running = fleet.start('deploy')
    strike.aim(running)
    const ended = await running.ended
    strike.disarm()
    return ended
  }

  test(
    'after any command: the same command again ends with one release on all hosts',
    { timeout: 3_600_000 },
    async () => {
      expect(count).toBeGreaterThan(120)
      const places = Array.from({ length: count }, (_, at) => at + 1)
      const kinds: readonly Struck[] = ['tool', 'both']
      const all = places.flatMap((place) => kinds.map((struck) => ({ place, struck })))
      const chosen = WHICH === 'all' ? all : sample(all, SAMPLE, Number(WHICH))
      let killed = 0
      for (const { place, struck } of chosen) {
        const when = `killed (${struck}) after command ${String(place)} of ${String(count)}`
        const ended = await killedAfter(place, struck)
        // Fewer commands than the last time: there are fewer old releases to remove.
        if (ended.signal === 'SIGKILL') killed++
        else expect(ended, `${when}: ${ended.output}`).toMatchObject({ code: 0 })
        for (const host of fleet.hosts) expectServing(fleet, host, when)
        // At once: what the dead run started on the hosts may still be at work.
        const again = await fleet.run('deploy')
        expect(again, `${when}, then ${again.output}`).toMatchObject({ code: 0 })
        expectSettled(fleet, when, revision)
      }
      if (WHICH === 'all') console.log(`${String(killed)} of ${String(chosen.length)} were killed`)
      expect(killed).toBeGreaterThan(chosen.length / 2)
    },
  )

  test('a rollback afterwards goes to a release that every host has', async () => {
    const back = await fleet.run('deploy:rollback')
    expect(back, back.output).toMatchObject({ code: 0 })
    const live = new Set(fleet.hosts.map(({ app }) => basename(app.current() ?? 'none')))
    expect([...live]).toHaveLength(1)
    for (const host of fleet.hosts) expectServing(fleet, host, 'rolled back')
  })

  test('a rollback that is killed when every host is flipped, and the same again, are one rollback', async () => {
    const [target, bad] = fleet.hosts[0]?.app.releases().slice(-2) ?? []
    // Each flip removes its own folder.
    strike.arm(3, 'tool', 'rmdir')
    const killed = fleet.start('deploy:rollback')
    strike.aim(killed)
    expect(await killed.ended).toMatchObject({ signal: 'SIGKILL' })
    const live = (): readonly string[] => fleet.hosts.map(({ app }) => basename(app.current() ?? 'none'))
    expect(live()).toEqual([target, target, target])
    const said = `the rollback to ${String(target)} that was killed is brought to its end`
    const tried = await fleet.run('deploy:rollback', '--dry-run')
    expect(tried.output).toContain(said)
    const again = await fleet.run('deploy:rollback')
    expect(again, again.output).toMatchObject({ code: 0 })
    expect(again.output).toContain(said)
    expect(live()).toEqual([target, target, target])
    for (const { app } of fleet.hosts) {
      expect(app.names('.')).toContain(`rolled-back-release-${String(bad)}.tar.gz`)
      expect(app.releases().at(-1)).toBe(target)
      expect(app.read('served')).toBe(app.read('current/REVISION'))
      expect(app.names('.deployfile')).toEqual(['releases.jsonl'])
    }
  })
})
