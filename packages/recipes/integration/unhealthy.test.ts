import { existsSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { task, type AnyTask } from '@deployfile/core'
import type { DeployOptions } from '../src/index.ts'
import { makeSite, type HostFolder, type Ran, type Site } from './site.ts'

let site: Site
let old: string
beforeEach(async () => {
  site = makeSite()
  expectDone(await site.run('deploy'))
  old = site.web1.live()
  site.git.commit({ 'app.txt': 'two' })
})
afterEach(() => site[Symbol.asyncDispose]())

const both = (): readonly HostFolder[] => [site.web1, site.db1]
const live = (): readonly string[] => both().map((host) => host.live())
const restarts = (host: HostFolder): readonly string[] => host.read('../restarts').trim().split('\n')

function expectDone(ran: Ran): void {
  expect(ran.problems).toEqual([])
  expect(ran.status).toBe('done')
}

/** Starts whatever was live before, refuses everything else. */
const picky = (): string =>
  `cat REVISION >> ../../../restarts; grep -q ${site.git.revision('master~1')} REVISION`

describe('a restart that fails after the flip', () => {
  const cases: readonly [string, string, Partial<DeployOptions>, boolean][] = [
    ['a deploy goes back', 'deploy', {}, true],
    ['migrations keep it where it is', 'deploy:migrations', {}, false],
    [
      'despite migrations it goes back',
      'deploy:migrations',
      { onUnhealthy: 'rollback-despite-migrations' },
      true,
    ],
    ["'stop' keeps it where it is", 'deploy', { onUnhealthy: 'stop' }, false],
    [
      'a migrate task of one’s own that returns nothing has migrated',
      'deploy:migrations',
      {
        migrate: (tasks) =>
          task('deploy:migrate', {
            on: { role: 'db', pick: 'primary' },
            needs: { release: tasks.release },
            run: () => undefined,
          }),
      },
      false,
    ],
    [
      'a migrate task that skips itself has not',
      'deploy:migrations',
      {
        migrate: (tasks) =>
          task('deploy:migrate', {
            on: { role: 'db', pick: 'primary' },
            needs: { release: tasks.release },
            run: ({ skip }) => skip('nothing pending'),
          }),
      },
      true,
    ],
  ]

  it.each(cases)('%s', async (_, name, options, goesBack) => {
    const ran = await site.run(name, { options: { restart: picky(), ...options } })
    expect(ran.status).toBe('failed')
    expect(ran.problems.every((problem) => problem.startsWith('task RESTART_FAILED'))).toBe(true)
    const [one = '', other] = live()
    expect(one).toBe(other)
    expect(one === old).toBe(goesBack)
    for (const host of both()) {
      expect(host.list('releases')).toEqual(goesBack ? [old] : [old, one])
      expect(host.locked()).toBe(false)
    }
    if (goesBack) return
    expect(ran.hints[0]).toMatch(
      /^It ran in .*\nEvery host stays on the new release, because (migrations ran|onUnhealthy is 'stop')\. To start it again: npx deployfile production deploy:restart; to go back: npx deployfile production deploy:rollback$/,
    )
    // What it says to type works.
    expectDone(await site.run('deploy:rollback'))
    expect(live()).toEqual([old, old])
  })
})

describe('a flip that fails on one host', () => {
  it('goes back on all of them, migrations or not, and restarts nothing that was not restarted', async () => {
    const before = both().map((host) => [host.link('current'), host.list('releases'), restarts(host)])
    const strike: AnyTask = task('strike', {
      effect: 'read',
      run: () => {
        site.db1.write('releases/current/x')
        for (const name of site.db1.list('releases').filter((one) => one > old && one !== 'current'))
          rmSync(site.db1.at(`releases/${name}/REVISION`))
      },
    })
    const ran = await site.run('deploy:migrations', {
      options: { onUnhealthy: 'stop' },
      hooks: () => ({ 'deploy:publish': [strike] }),
    })
    expect(ran.problems).toHaveLength(1)
    expect(ran.problems[0]).toMatch(
      /^task PUBLISH_FAILED: db1: looking at current failed: the release .* is not there, or not whole$/,
    )
    rmSync(site.db1.at('releases/current'), { recursive: true })
    expect(both().map((host) => [host.link('current'), host.list('releases'), restarts(host)])).toEqual(
      before,
    )
  })
})

describe('a rolling restart that fails', () => {
  it('goes back in batches of the same size', async () => {
    const first = site.git.revision('master~1')
    // Two at a time would meet in this folder. The new release starts on web1 only.
    const restart = `busy=${site.path}/restarting
mkdir $busy || touch ${site.path}/met
cat REVISION >> ../../../restarts
for wait in 1 2 3 4 5; do sleep 0.1; [ ! -e ${site.path}/met ] || break; done
rmdir $busy || :
case $PWD in *db1*) grep -q ${first} REVISION ;; esac`
    const before = both().map(restarts)
    const ran = await site.run('deploy', { options: { restart, rolling: { batch: 1 } } })
    expect(ran.status).toBe('failed')
    expect(live()).toEqual([old, old])
    const second = site.git.revision()
    for (const [at, host] of both().entries())
      expect(restarts(host)).toEqual([...(before[at] ?? []), second, first])
    expect(existsSync(`${site.path}/met`)).toBe(false)
  })
})

describe('verify', () => {
  let server: Server
  let answer: (url: string) => { status: number; body: string }
  let asked: string[]
  let url: string
  beforeEach(async () => {
    asked = []
    answer = () => ({ status: 200, body: 'fine' })
    server = createServer((request, response) => {
      asked.push(request.url ?? '')
      const { status, body } = answer(request.url ?? '')
      response.writeHead(status).end(body)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`
  })
  afterEach(() => new Promise((resolve) => server.close(resolve)))
  const quick = { attempts: 3, wait: 1 } as const

  it('asks until the answer is well', async () => {
    answer = () => ({ status: asked.length < 4 ? 503 : 200, body: '' })
    const ran = await site.run('deploy', { options: { verify: { url: `${url}/up`, ...quick } } })
    expectDone(ran)
    expect(ran.logs.join('\n')).toContain(`attempt 1 of 3: ${url}/up answers 503 Service Unavailable`)
  })

  it('that never is well goes back, and restarts the release before', async () => {
    answer = () => ({ status: 500, body: '' })
    const ran = await site.run('deploy', { options: { verify: { url, ...quick } } })
    expect(ran.problems).toEqual([
      `task NOT_HEALTHY: db1: the application is not healthy: ${url} answers 500 Internal Server Error`,
      `task NOT_HEALTHY: web1: the application is not healthy: ${url} answers 500 Internal Server Error`,
    ])
    expect(ran.hints[0]).toBe('3 attempts were made.')
    expect(live()).toEqual([old, old])
    for (const host of both()) {
      expect(host.list('releases')).toEqual([old])
      expect(restarts(host)).toHaveLength(3)
      expect(restarts(host).at(-1)).toBe(host.read('current/REVISION').trim())
    }
  })

  it('asks whether what answers is what was deployed', async () => {
    answer = () => ({ status: 200, body: `revision ${site.git.revision('master~1')}` })
    const options: Partial<DeployOptions> = { verify: { url, revision: true, ...quick } }
    const ran = await site.run('deploy', { options })
    expect(ran.problems[0]).toContain(`the answer of ${url} does not contain ${site.git.revision()}`)
    answer = () => ({ status: 200, body: `revision ${site.git.revision()}` })
    expectDone(await site.run('deploy', { options }))
  })

  it('runs a command in current on each host; alone, of what is live', async () => {
    const verify = 'cat REVISION >> ../../../verified'
    expectDone(await site.run('deploy', { options: { verify } }))
    for (const host of both()) expect(host.read('../verified')).toBe(`${site.git.revision()}\n`)
    expectDone(await site.run('deploy:verify', { options: { verify } }))
    for (const host of both()) expect(host.read('../verified').trim().split('\n')).toHaveLength(2)
  })

  it('of a command that fails says why', async () => {
    const verify = { command: 'echo no workers >&2; exit 3', ...quick }
    const ran = await site.run('deploy', { options: { verify } })
    expect(ran.problems[0]).toBe(
      'task NOT_HEALTHY: db1: the application is not healthy: the check failed: no workers',
    )
  })

  it('does not wait for ever, neither for an answer nor for a server', async () => {
    server.removeAllListeners('request').on('request', () => undefined)
    const silent = await site.run('deploy', { options: { verify: { url, attempts: 1, timeout: 100 } } })
    expect(silent.problems[0]).toContain(`${url} did not answer within 0.1 s`)
    server.closeAllConnections()
    const nobody = 'http://127.0.0.1:9'
    const refused = await site.run('deploy', { options: { verify: { url: nobody, attempts: 1 } } })
    expect(refused.problems[0]).toMatch(/http:\/\/127\.0\.0\.1:9 cannot be reached: /)
  })

  it('is stopped by Ctrl-C, which counts as failing: it goes back', async () => {
    answer = () => ({ status: 500, body: '' })
    const ran = await site.run('deploy', {
      options: { verify: { url, attempts: 1000, wait: '10s' } },
      onEvent(event, stop) {
        if (event.type === 'node.log' && event.message.startsWith('attempt 1')) stop()
      },
    })
    expect(ran.status).toBe('cancelled')
    expect(live()).toEqual([old, old])
  })

  it('stopped by Ctrl-C after migrations says that the new release stays, and what to type', async () => {
    answer = () => ({ status: 500, body: '' })
    const ran = await site.run('deploy:migrations', {
      options: { verify: { url, attempts: 1000, wait: '10s' } },
      onEvent(event, stop) {
        if (event.type === 'node.log' && event.message.startsWith('attempt 1')) stop()
      },
    })
    expect(ran.status).toBe('cancelled')
    expect(live().every((name) => name > old)).toBe(true)
    expect(ran.logs.filter((line) => line.includes('to go back: npx deployfile'))).not.toHaveLength(0)
  })
})
