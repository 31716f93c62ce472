import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { freePort } from '../servers/port.ts'
import { servicesFound } from '../servers/service.ts'
import { until, type Running } from './command.ts'
import { startFleet, type Fleet, type FleetHost } from './fleet.ts'
import { expectSettled } from './settled.ts'
import { makeStrike, type Strike } from './strike.ts'

const OPTIONS = `keepReleases: 3, restart: 'cp -f REVISION ../../served'`

// Beside the hosts that freeze, but its own tests one after the other.
describe.runIf(servicesFound('sshd'))('a deploy on three hosts', { concurrent: true }, () => {
  const apart = { concurrent: false }
  let fleet: Fleet
  let strike: Strike
  let revision = ''
  let before: unknown

  const state = (): unknown => fleet.hosts.map(({ app }) => [app.state(), app.read('served')])
  const at = (index: number): FleetHost => {
    const host = fleet.hosts[index]
    if (!host) throw new Error(`there is no host ${String(index)}`)
    return host
  }

  beforeAll(async () => {
    fleet = await startFleet({ hosts: ['web1', 'web2', 'web3'], path: 'strike', deploy: OPTIONS })
    strike = makeStrike(join(fleet.root, 'strike'))
    const settings = '  ConnectTimeout 3\n  ServerAliveInterval 1\n  ServerAliveCountMax 3\n'
    const config = readFileSync(fleet.sshConfig, 'utf8')
    writeFileSync(
      fleet.sshConfig,
      config.replaceAll(/^Host .*\n/gm, (line) => `${line}${settings}`),
    )
    const first = await fleet.run('deploy')
    expect(first, first.output).toMatchObject({ code: 0 })
  })
  afterAll(() => fleet[Symbol.asyncDispose]())
  beforeEach(() => {
    before = state()
    revision = fleet.origin.commit({ 'app.txt': `after ${fleet.origin.revision()}\n` })
  })

  /** As soon as the fault is over, the same command does it all. */
  async function expectDoneAgain(when: string): Promise<void> {
    const again = await fleet.run('deploy')
    expect(again, `${when}, then ${again.output}`).toMatchObject({ code: 0 })
    expectSettled(fleet, when, revision)
  }

  /** A deploy of which one host holds still when a program has ended that often, on whichever host. */
  async function heldAfter(
    times: number,
    program: string,
    ...args: readonly string[]
  ): Promise<{ running: Running; host: FleetHost }> {
    strike.arm(times, 'none', program)
    const running = fleet.start(...(args.length > 0 ? args : ['deploy']))
    await until('a script is held', () => strike.held() !== undefined)
    const host = fleet.hosts.find(({ home }) => home === strike.held())
    if (!host) throw new Error(`no host has the home ${String(strike.held())}`)
    return { running, host }
  }

  test('of which one cannot be reached changes nothing on the others, and names it', apart, async () => {
    const config = readFileSync(fleet.sshConfig, 'utf8')
    const port = await freePort()
    writeFileSync(fleet.sshConfig, config.replace(`Port ${String(at(2).port)}`, `Port ${String(port)}`))
    const ended = await fleet.run('deploy')
    writeFileSync(fleet.sshConfig, config)
    expect(ended, ended.output).toMatchObject({ code: 3 })
    expect(ended.stderr).toContain('web3')
    expect(state()).toEqual(before)
    await expectDoneAgain('unreachable')
  })

  test('one of whose disks is full takes back what the others have built', apart, async () => {
    strike.arm(2, 'disk', 'tar')
    const ended = await fleet.run('deploy')
    expect(ended, ended.output).toMatchObject({ code: 1 })
    expect(ended.stderr).toContain('No space left on device')
    expect(state()).toEqual(before)
    await expectDoneAgain('as on a full disk')
  })

  test(
    'beside another deploy: that one wins, this one ends with exit code 3 and changes nothing',
    apart,
    async () => {
      const { running } = await heldAfter(1, 'tar')
      const served = (): unknown =>
        fleet.hosts.map(({ app }) => [app.current(), app.read('served'), app.lines('revisions.log')])
      const during = served()
      const second = await fleet.run('deploy')
      expect(second, second.output).toMatchObject({ code: 3 })
      expect(second.stderr).toMatch(
        /web1: deploys are locked by Developer since .*, run \d{8}T\d+Z-\w+, process \d+ on /,
      )
      expect(served()).toEqual(during)
      strike.letGo()
      const first = await running.ended
      expect(first, first.output).toMatchObject({ code: 0 })
      expectSettled(fleet, 'beside another', revision)
    },
  )

  test('without a lock, in the same second as two others: the hosts end on one release', apart, async () => {
    fleet.configure(`${OPTIONS}, lock: false`)
    const all = await Promise.all([fleet.run('deploy'), fleet.run('deploy'), fleet.run('deploy')])
    fleet.configure(OPTIONS)
    const outputs = all.map(({ output }) => output).join('\n')
    for (const { code } of all) expect([0, 1], outputs).toContain(code)
    const live = new Set(fleet.hosts.map(({ app }) => app.current()?.split('/').at(-1)))
    expect(live.size, `${[...live].join()}\n${outputs}`).toBe(1)
    await expectDoneAgain('three without a lock')
  })

  test(
    'that is killed while another waits: that one takes the lock over, and does it all',
    apart,
    async () => {
      const { running } = await heldAfter(1, 'tar')
      const waiting = fleet.start('deploy', '--lock-wait', '1m')
      await until('the second one waits', () =>
        waiting.output().includes('waiting for the lock of Developer'),
      )
      process.kill(running.pid, 'SIGKILL')
      expect(await running.ended).toMatchObject({ signal: 'SIGKILL' })
      strike.letGo()
      const ended = await waiting.ended
      expect(ended, ended.output).toMatchObject({ code: 0 })
      expect(ended.output).toMatch(/took the lock over from Developer since .*: its process \d+ has ended/)
      expectSettled(fleet, 'killed while another waited', revision)
    },
  )

  test('that was killed, and then finds a host that cannot be reached, changes nothing', apart, async () => {
    const killed = fleet.start('deploy')
    strike.arm(2, 'tool', 'tar')
    strike.aim(killed)
    expect(await killed.ended).toMatchObject({ signal: 'SIGKILL' })
    const served = (): unknown => fleet.hosts.map(({ app }) => [app.current(), app.read('served')])
    const during = served()
    const config = readFileSync(fleet.sshConfig, 'utf8')
    const port = await freePort()
    writeFileSync(fleet.sshConfig, config.replace(`Port ${String(at(1).port)}`, `Port ${String(port)}`))
    const ended = await fleet.run('deploy')
    writeFileSync(fleet.sshConfig, config)
    expect(ended, ended.output).toMatchObject({ code: 3 })
    expect(ended.stderr).toContain('web2')
    expect(served()).toEqual(during)
    await expectDoneAgain('killed, then unreachable')
  })

  test('that was killed and is resumed takes its own lock up again', apart, async () => {
    const killed = fleet.start('deploy')
    strike.arm(1, 'tool', 'git')
    strike.aim(killed)
    expect(await killed.ended).toMatchObject({ signal: 'SIGKILL' })
    const owners = (): readonly unknown[] =>
      at(0)
        .app.names('.deployfile/lock')
        .filter((name) => name.startsWith('owner.'))
        .map((name) => JSON.parse(at(0).app.read(`.deployfile/lock/${name}`)) as unknown)
    const [dead, ...none] = owners() as { run: string; process: { pid: number } }[]
    expect([dead?.process.pid, none]).toEqual([killed.pid, []])

    const { running } = await heldAfter(1, 'rmdir', '--resume')
    // Hosts build at the same time, and the lock is on the first.
    await until('the lock is taken up', () => owners().length > 1)
    expect(owners()).toMatchObject([dead, { run: dead?.run, process: { pid: running.pid } }])
    const other = await fleet.run('deploy')
    expect(other, other.output).toMatchObject({ code: 3 })
    strike.letGo()
    const resumed = await running.ended
    expect(resumed, resumed.output).toMatchObject({ code: 0 })
    expectSettled(fleet, 'resumed', revision)
  })

  test('that was killed is not resumed over what was deployed since', apart, async () => {
    const killed = fleet.start('deploy')
    strike.arm(2, 'tool', 'tar')
    strike.aim(killed)
    expect(await killed.ended).toMatchObject({ signal: 'SIGKILL' })
    const [run = ''] = readdirSync(join(fleet.project, '.deployfile/runs')).sort().slice(-1)
    await expectDoneAgain('killed')
    const settled = state()
    const resumed = await fleet.run(`--resume=${run}`)
    expect(resumed, resumed.output).toMatchObject({ code: 1 })
    expect(resumed.stderr).toContain('the deploy lock of this run is gone')
    expect(state(), resumed.output).toEqual(settled)
    expectSettled(fleet, 'resumed too late', revision)
  })

  test.runIf(process.getuid?.() === 0)('on a disk that fills up after the check', apart, async () => {
    const { app } = at(1)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=80m', 'tmpfs', app.path])
    try {
      // Every host was checked, and no release is begun.
      const { running } = await heldAfter(1, 'git')
      const filler = join(app.path, 'filler')
      expect(() => execFileSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=64k'], { stdio: 'pipe' })).toThrow(
        'No space',
      )
      strike.letGo()
      const ended = await running.ended
      expect(ended, ended.output).toMatchObject({ code: 1 })
      expect(ended.stderr).toMatch(/web2: .*No space left on device/)
      expect(app.current()).toBeUndefined()
      expect([0, 2].map((index) => at(index).app.state())).toEqual(
        [0, 2].map((index) => (before as unknown[][])[index]?.[0]),
      )
      const checked = await fleet.run('deploy')
      expect(checked, checked.output).toMatchObject({ code: 3 })
      expect(checked.stderr).toContain('web2: there are only 0 MB free for')
      rmSync(filler)
      const again = await fleet.run('deploy')
      expect(again, again.output).toMatchObject({ code: 0 })
      expect(app.read('current/REVISION')).toBe(`${revision}\n`)
    } finally {
      execFileSync('umount', [app.path])
    }
    await expectDoneAgain('with another disk')
  })
})

/** Three hosts with a first release, and a commit to deploy; a silent connection is noticed after six seconds. */
async function startHosts(): Promise<{ fleet: Fleet; strike: Strike; revision: string }> {
  const fleet = await startFleet({ hosts: ['web1', 'web2', 'web3'], path: 'strike', deploy: OPTIONS })
  const strike = makeStrike(join(fleet.root, 'strike'))
  const settings = '  ServerAliveInterval 2\n  ServerAliveCountMax 3\n'
  const config = readFileSync(fleet.sshConfig, 'utf8')
  writeFileSync(
    fleet.sshConfig,
    config.replaceAll(/^Host .*\n/gm, (line) => `${line}${settings}`),
  )
  const first = await fleet.run('deploy')
  expect(first, first.output).toMatchObject({ code: 0 })
  return { fleet, strike, revision: fleet.origin.commit({ 'app.txt': 'second\n' }) }
}

const stateOf = ({ app }: FleetHost): { readonly current: string | undefined } => ({
  ...{ current: app.current(), state: app.state(), served: app.read('served') },
})

async function expectThawed(fleet: Fleet, when: string, revision: string): Promise<void> {
  for (const host of fleet.hosts) host.thaw()
  const again = await fleet.run('deploy')
  expect(again, `${when}, then ${again.output}`).toMatchObject({ code: 0 })
  expectSettled(fleet, when, revision)
}

// They wait for silence most of the time: at once, so that they do it together.
describe.runIf(servicesFound('sshd'))('a host that freezes', { concurrent: true }, () => {
  test('before a deploy begins ends it before anything is changed', async () => {
    const { fleet, revision } = await startHosts()
    await using _ = fleet
    const before = fleet.hosts.map(stateOf)
    fleet.hosts[1]?.freeze()
    const ended = await fleet.run('deploy')
    expect(ended, ended.output).toMatchObject({ code: 3 })
    expect(ended.stderr).toContain('web2')
    expect(fleet.hosts.map(stateOf)).toEqual(before)
    await expectThawed(fleet, 'frozen before', revision)
  })

  // The second tar unpacks the first release. Three claims of releases are removed, then the folder of the first flip.
  test.each([
    ['while it builds its release', { times: 2, program: 'tar', isFlipped: false }],
    ['when it was flipped', { times: 4, program: 'rmdir', isFlipped: true }],
  ])('%s: the others serve what they did, and its state is told', async (when, place) => {
    const { fleet, strike, revision } = await startHosts()
    await using _ = fleet
    const before = new Map(fleet.hosts.map((host) => [host, stateOf(host)]))
    strike.arm(place.times, 'none', place.program)
    const running = fleet.start('deploy')
    await until('a script is held', () => strike.held() !== undefined)
    const frozen = fleet.hosts.find(({ home }) => home === strike.held())
    if (!frozen) throw new Error(`no host has the home ${String(strike.held())}`)
    const name = frozen.app.current() ?? ''
    const told = (): string => `${frozen.name}: ${strike.names().join(' ')}\n${running.output()}`
    expect(name !== before.get(frozen)?.current, told()).toBe(place.isFlipped)
    frozen.freeze()
    strike.letGo()
    const ended = await running.ended

    expect(ended, ended.output).toMatchObject({ code: 1 })
    expect(ended.stderr).toContain(frozen.name)
    expect(frozen.app.current(), ended.output).toBe(name)
    const current = `${frozen.app.path}/current`
    if (place.isFlipped) expect(ended.stderr).toContain(`${current} may still point to ${name}`)
    const others = fleet.hosts.filter((host) => host !== frozen)
    for (const host of others) expect(stateOf(host), ended.output).toEqual(before.get(host))
    await expectThawed(fleet, `${frozen.name} was frozen ${when}`, revision)
  })
})
