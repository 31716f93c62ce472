import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, unlinkSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { task, type AnyTask } from '@deployfile/core'
import { thisProcess } from '../src/deploy/lock/process.ts'
import { makeSite, type Change, type HostFolder, type Ran, type Site } from './site.ts'

let site: Site
beforeEach(() => {
  site = makeSite()
})
afterEach(() => site[Symbol.asyncDispose]())

const both = (): readonly HostFolder[] => [site.web1, site.db1]
const state = (): unknown =>
  both().map((host) => [host.list('releases'), host.has('current') && host.link('current'), host.ledger()])

type Hooks = NonNullable<Change['hooks']>

/** A hook before `of` that holds a deploy until it is let go. */
function holdAt(of: string): {
  readonly hooks: Hooks
  readonly reached: Promise<void>
  readonly letGo: () => void
} {
  let letGo = (): void => undefined
  let reach = (): void => undefined
  const held = new Promise<void>((resolve) => (letGo = resolve))
  const reached = new Promise<void>((resolve) => (reach = resolve))
  const wait = task('wait', {
    effect: 'read',
    run: () => {
      reach()
      return held
    },
  })
  return { hooks: () => ({ [of]: [wait] }), reached, letGo }
}

/** A lock that another run holds, or held when it died. Times are seconds ago. */
function lockBy(owner: object, { since = 60, beat = 5 }: { since?: number; beat?: number } = {}): void {
  const now = Math.floor(Date.now() / 1000)
  const text = JSON.stringify({ run: '20260101T000000000Z-dead', user: 'Bob', ...owner, since: now - since })
  site.web1.write('.deployfile/lock/owner.1', `${text}\n`)
  if ('process' in owner) site.web1.write('.deployfile/lock/heartbeat', `${String(now - beat)}\n`)
}

const elsewhere = { process: { pid: 1, host: 'bobs-laptop', boot: 'x', namespace: 'y', startTicks: '1' } }

function expectDone(ran: Ran): void {
  expect(ran.problems).toEqual([])
  expect(ran.status).toBe('done')
}

describe('two deploys at once', () => {
  it('one wins; the other changes nothing, and says whose lock it is, since when, from where and what to type', async () => {
    const { hooks, reached, letGo } = holdAt('deploy:publishing')
    const first = site.run('deploy', { hooks, user: 'Alice' })
    await reached
    const before = state()
    const { pid, host } = thisProcess()
    const second = await site.run('deploy', { user: 'Bob' })
    expect(second.problems).toHaveLength(1)
    expect(second.problems[0]).toMatch(
      /^check LOCK_HELD: web1: deploys are locked by Alice since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC \([\w ]+\), run 20261123T120000000Z-0001, process \d+ on .+, last heard of [\w ]+$/,
    )
    expect(second.problems[0]).toContain(`process ${String(pid)} on ${host}`)
    expect(second.hints[0]).toBe(
      'Wait for it: add --lock-wait 10m. If that run is dead, its lock is taken over 5 minutes after it was last heard of; at once: npx deployfile production deploy:unlock',
    )
    expect(state()).toEqual(before)
    letGo()
    expectDone(await first)
    expect(both().map((host) => host.locked())).toEqual([false, false])
    expectDone(await site.run('deploy'))
  })

  it('the other waits as long as it was told to, and goes on when the lock is free', async () => {
    const { hooks, reached, letGo } = holdAt('deploy:publishing')
    const first = site.run('deploy', { hooks, user: 'Alice' })
    await reached
    const revision = site.git.commit({ 'app.txt': 'two' })
    const second = await site.run('deploy', {
      lockWait: 60_000,
      onEvent(event) {
        if (event.type === 'node.log' && event.message.includes('waiting for the lock of Alice')) letGo()
      },
    })
    expectDone(await first)
    expectDone(second)
    for (const host of both()) {
      expect(host.list('releases')).toHaveLength(2)
      expect(host.read('current/REVISION')).toBe(`${revision}\n`)
    }
    expect(second.logs.filter((line) => line.includes('waiting'))).toHaveLength(1)
  })

  it('who waits in vain ends as one who does not wait, and Ctrl-C ends the waiting', async () => {
    lockBy(elsewhere)
    const late = await site.run('deploy', { lockWait: 200 })
    expect(late.problems[0]).toContain('check LOCK_HELD: web1: deploys are locked by Bob')
    const stopped = await site.run('deploy', {
      lockWait: 600_000,
      onEvent(event, stop) {
        if (event.type === 'node.log') stop()
      },
    })
    expect(stopped.status).toBe('cancelled')
    expect(site.web1.locked()).toBe(true)
    expect(state()).toEqual([
      [[], false, []],
      [[], false, []],
    ])
  })

  it('a rollback waits for the same lock', async () => {
    lockBy(elsewhere)
    expect((await site.run('deploy:rollback')).problems[0]).toContain('LOCK_HELD')
  })

  it('without a lock neither takes what the other builds for a leftover, and only one can have its name', async () => {
    const options = { lock: false }
    const { hooks, reached, letGo } = holdAt('deploy:publishing')
    const first = site.run('deploy', { hooks, options })
    await reached
    const [building = ''] = site.web1.list('releases')
    const second = await site.run('deploy', { options })
    expectDone(second)
    expect(site.web1.list('releases')).toEqual([building, site.web1.live()])
    letGo()
    // What it would switch from is no longer what it has seen.
    const ran = await first
    expect(ran.problems[0]).toMatch(
      /^task PUBLISH_FAILED: \w+: looking at current failed: somebody else has deployed meanwhile: .*\/current pointed to '' when this run began/,
    )
    for (const host of both()) expect(host.list('releases')).toEqual([host.live()])
    expect(both().map((host) => host.list('.deployfile'))).toEqual([['releases.jsonl'], ['releases.jsonl']])
  })
})

describe('a lock whose owner is gone', () => {
  /** A process that has surely ended. */
  const ended = (): object => {
    const { pid } = spawnSync('true')
    return { process: { ...thisProcess(), pid } }
  }

  it('is taken over at once where its process can be seen to have ended', async () => {
    lockBy(ended())
    const ran = await site.run('deploy')
    expectDone(ran)
    expect(ran.logs.find((line) => line.startsWith('deploy:lock:hold'))).toMatch(
      /^deploy:lock:hold@web1: took the lock over from Bob since .*: its process \d+ has ended$/,
    )
    expect(site.web1.list('.deployfile')).toEqual(['releases.jsonl'])
  })

  it('also when its pid belongs to another process by now', async () => {
    lockBy({ process: { ...thisProcess(), startTicks: '1' } })
    expectDone(await site.run('deploy'))
  })

  it.each([
    ['lives', {}],
    ['is on another machine', { host: 'elsewhere' }],
    ['was before a restart of a machine of this name', { boot: 'another' }],
    ['is in another pid namespace', { namespace: 'pid:[1]' }],
  ])('stays when its process %s', async (_, other) => {
    const { pid } = spawnSync('true')
    const owner = { ...thisProcess(), ...other }
    lockBy({ process: Object.keys(other).length > 0 ? { ...owner, pid } : owner })
    const ran = await site.run('deploy')
    expect(ran.problems[0]).toContain('LOCK_HELD')
    expect(JSON.parse(site.web1.read('.deployfile/lock/owner.1'))).toMatchObject({ user: 'Bob' })
  })

  it('is taken over when it was not heard of for 5 minutes by the clock of its host, not before', async () => {
    lockBy(elsewhere, { since: 4000, beat: 290 })
    expect((await site.run('deploy')).problems[0]).toContain('LOCK_HELD')
    lockBy(elsewhere, { since: 4000, beat: 310 })
    const ran = await site.run('deploy')
    expectDone(ran)
    expect(ran.logs.join('\n')).toContain('it has not been heard of for 5 minutes')
  })

  it('stays when its last sign of life lies in the future: the clock of the host was set back', async () => {
    lockBy(elsewhere, { since: 4000, beat: -86_400 })
    expect((await site.run('deploy')).problems[0]).toContain('last heard of just now')
  })

  it('and its unfinished release are cleared away', async () => {
    expectDone(await site.run('deploy'))
    const one = site.web1.live()
    lockBy(ended())
    const line = { release: '20270101000000', state: 'building', run: 'x', at: 'x', locked: true }
    for (const host of both()) {
      host.write('releases/20270101000000/REVISION', 'x')
      host.write('releases/.20270101000001/20260101T000000000Z-dead/half')
      const more = [line, { ...line, release: '20270101000001' }].map((one) => `${JSON.stringify(one)}\n`)
      host.write('.deployfile/releases.jsonl', host.read('.deployfile/releases.jsonl') + more.join(''))
    }
    expectDone(await site.run('deploy'))
    for (const host of both()) expect(host.list('releases')).toEqual([one, host.live()])
  })
})

describe('a lock that is lost', () => {
  /** A hook that is run once on this machine, in the middle of a deploy. */
  const during = (of: string, act: () => void): Hooks => {
    const strike: AnyTask = task('strike', { effect: 'read', run: act })
    return () => ({ [of]: [strike] })
  }
  const removeLock = (): void => rmSync(site.web1.at('.deployfile/lock'), { recursive: true })
  const takeOver = (): void => {
    const owner = { run: 'other', user: 'Bob', ...elsewhere, since: Math.floor(Date.now() / 1000) }
    site.web1.write('.deployfile/lock/owner.2', JSON.stringify(owner))
  }

  it('keeps a run from migrating, and from all that comes after', async () => {
    expectDone(await site.run('deploy'))
    const before = state()
    const ran = await site.run('deploy:migrations', { hooks: during('deploy:updated', removeLock) })
    expect(ran.problems).toEqual([
      'task LOCK_LOST: web1: the deploy lock of this run is gone: somebody has removed it',
    ])
    expect(site.web1.has('../../migrations')).toBe(false)
    expect(both().map((host) => [host.list('releases'), host.link('current')])).toEqual(
      (before as unknown[][]).map((host) => host.slice(0, 2)),
    )
  })

  it('keeps a run from publishing; the lock of the other stays', async () => {
    const ran = await site.run('deploy', { hooks: during('deploy:publishing', takeOver) })
    expect(ran.problems).toHaveLength(1)
    expect(ran.problems[0]).toMatch(/^task LOCK_LOST: web1: the deploy lock was taken over by Bob since /)
    for (const host of both()) expect([host.has('current'), host.list('releases')]).toEqual([false, []])
    expect(site.web1.read('.deployfile/lock/owner.2')).toContain('Bob')
  })

  it.each([
    ['removed', removeLock, 'the deploy lock of this run is gone: somebody has removed it'],
    ['taken over', takeOver, 'another run holds the deploy lock now'],
  ])('in the very last moment (%s): the flip itself looks, and every host goes back', async (_, act, why) => {
    expectDone(await site.run('deploy'))
    const one = site.web1.live()
    site.git.commit({ 'app.txt': 'two' })
    const ran = await site.run('deploy', { hooks: during('deploy:publish', act) })
    expect(ran.problems).toEqual([`task PUBLISH_FAILED: web1: looking at the lock failed: ${why}`])
    for (const host of both()) {
      expect([host.live(), host.list('releases')]).toEqual([one, [one]])
      expect(host.read('../restarts').trim().split('\n')).toHaveLength(1)
    }
  })

  it('to a run that has begun on the host since: the flip sees that, too', async () => {
    expectDone(await site.run('deploy'))
    const act = (): void => {
      const ledger = site.db1.read('.deployfile/releases.jsonl')
      const line = { release: '20270101000000', state: 'building', run: 'other', at: 'x' }
      site.db1.write('.deployfile/releases.jsonl', `${ledger}${JSON.stringify(line)}\n`)
    }
    const ran = await site.run('deploy', { hooks: during('deploy:publishing', act) })
    expect(ran.problems).toEqual([
      'task PUBLISH_FAILED: db1: looking at the lock failed: another run has begun here since',
    ])
  })

  it('to Capistrano, which knows none: what it has made live meanwhile stays live', async () => {
    expectDone(await site.run('deploy'))
    const act = (): void => {
      for (const host of both()) {
        host.write('releases/20270101000000/REVISION', 'x')
        unlinkSync(host.at('current'))
        symlinkSync(host.at('releases/20270101000000'), host.at('current'))
      }
    }
    const ran = await site.run('deploy', { hooks: during('deploy:publishing', act) })
    expect(ran.problems).toHaveLength(2)
    expect(ran.problems[0]).toContain('somebody else has deployed meanwhile')
    for (const host of both()) expect(host.live()).toBe('20270101000000')
    const back = await site.run('deploy:rollback', {
      hooks: during('deploy:reverting', () => {
        renameSync(site.db1.at('current'), site.db1.at('was'))
        symlinkSync(site.db1.at('releases/20270101000000/'), site.db1.at('current'))
      }),
    })
    expect(back.problems).toHaveLength(1)
    expect(site.web1.live()).toBe('20270101000000')
  })
})

describe('a deploy that ends before it has begun', () => {
  it('leaves no folder that was made for the lock', async () => {
    rmSync(site.web1.deployTo, { recursive: true })
    const ran = await site.run('deploy')
    expect(ran.problems[0]).toContain('linked file')
    expect(site.web1.has('')).toBe(false)
    mkdirSync(site.web1.deployTo)
    await site.run('deploy')
    expect([site.web1.has(''), site.web1.list('')]).toEqual([true, []])
  })

  it('where no lock can be made says so', async () => {
    site.web1.write('.deployfile', 'a file')
    const ran = await site.run('deploy')
    expect(ran.problems[0]).toMatch(/^check HOST_NOT_READY: web1: making the folder of the lock failed: /)
    expect(ran.hints[0]).toContain(`The lock is made in ${site.web1.deployTo}/.deployfile`)
    expect(site.web1.read('.deployfile')).toBe('a file')
  })
})

describe('by hand', () => {
  it('deploy:lock stays, with its message, until deploy:unlock, which asks and shows whose it is', async () => {
    expectDone(await site.run('deploy'))
    const inputs = { message: 'data migration until 6 pm' }
    expectDone(await site.run('deploy:lock', { user: 'Bob', inputs }))
    const refused = await site.run('deploy')
    expect(refused.problems[0]).toMatch(
      /^check LOCK_HELD: web1: deploys are locked by Bob since .* UTC \(.*\): data migration until 6 pm$/,
    )
    expect(refused.hints[0]).toBe('When that is over: npx deployfile production deploy:unlock')
    const status = await site.run('deploy:lock:status')
    expect(status.logs).toHaveLength(1)
    expect(status.logs[0]).toMatch(/locked by Bob since .*: data migration until 6 pm$/)
    expect((await site.run('deploy:lock')).problems[0]).toContain('LOCK_HELD')

    const asked: string[] = []
    const no = await site.run('deploy:unlock', {
      ask: ({ message, answer }) => {
        asked.push(message, answer)
        return Promise.reject(new Error('no'))
      },
    })
    expect(no.status).toBe('failed')
    expect(asked[0]).toMatch(
      /^The deploy lock is held by Bob since .*: data migration until 6 pm\. Without it deploys may start again\.$/,
    )
    expect(asked[1]).toBe('production')
    expect(site.web1.locked()).toBe(true)
    const yes = await site.run('deploy:unlock')
    expectDone(yes)
    expect(yes.logs[0]).toContain('removed the lock of Bob')
    expectDone(await site.run('deploy'))
    expect((await site.run('deploy:lock:status')).logs).toEqual(['deploy:lock:status@web1: there is no lock'])
  })

  it('a manual lock is never taken over, however old it is', async () => {
    lockBy({ message: 'freeze' }, { since: 9_000_000 })
    expect((await site.run('deploy')).problems[0]).toContain('days ago): freeze')
  })

  it('deploy:unlock of a run that lives stops it before it publishes', async () => {
    const { hooks, reached, letGo } = holdAt('deploy:publishing')
    const first = site.run('deploy', { hooks })
    await reached
    const asked: string[] = []
    const unlocked = await site.run('deploy:unlock', {
      ask: ({ message }) => {
        asked.push(message)
        return Promise.resolve()
      },
    })
    expectDone(unlocked)
    expect(asked[0]).toContain('That run may still be alive')
    letGo()
    expect((await first).problems).toEqual([
      'task LOCK_LOST: web1: the deploy lock of this run is gone: somebody has removed it',
    ])
    expect(site.web1.has('current')).toBe(false)
  })

  it('deploy:unlock removes only the lock that it has shown', async () => {
    lockBy(elsewhere)
    const other = JSON.stringify({ run: 'x', user: 'Carol', ...elsewhere, since: 1 })
    const ran = await site.run('deploy:unlock', {
      ask: () => {
        site.web1.write('.deployfile/lock/owner.2', other)
        return Promise.resolve()
      },
    })
    expect(ran.logs[0]).toContain('meanwhile it is the lock of Carol')
    expect(readFileSync(site.web1.at('.deployfile/lock/owner.2'), 'utf8')).toBe(other)
  })
})
