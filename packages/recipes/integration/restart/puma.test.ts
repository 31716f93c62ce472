import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startOwnProcess, type OwnProcess } from '../../../../test/servers/own-process.ts'
import { requireService, servicesFound } from '../../../../test/servers/service.ts'
import { puma } from '../../src/index.ts'
import { makeRestartHost, type RestartHost } from './on-host.ts'

describe.runIf(servicesFound('puma'))('puma(), of a real Puma', () => {
  let host: RestartHost
  let server: OwnProcess | undefined
  beforeEach(() => {
    host = makeRestartHost()
    mkdirSync(join(host.deployTo, 'shared/pids'))
  })
  afterEach(async () => {
    await server?.stop()
    server = undefined
    await host[Symbol.asyncDispose]()
  })

  const pidFile = (): string => join(host.deployTo, 'shared/pids/puma.pid')

  function release(name: string, config = `directory '${host.current}'`): void {
    host.release(name, {
      'config.ru': `run ->(_) { [200, { 'Content-Type' => 'text/plain' }, ['${name} in ' + File.basename(Dir.pwd)]] }\n`,
      'config/puma.rb': `${config}\npidfile '${pidFile()}'\nbind 'unix://${host.path}/puma.sock'\nthreads 1, 2\n`,
    })
  }

  async function start(): Promise<void> {
    server = await startOwnProcess({
      program: requireService('puma'),
      args: ['-C', join(host.current, 'config/puma.rb')],
      ready: /Use Ctrl-C to stop/,
      stopSignal: 'SIGTERM',
      folder: host.path,
      cwd: host.current,
    })
  }

  // When it restarts, Puma closes what it has accepted and not read yet. Whoever stands in front of it asks again then.
  const ask = (): Promise<string> =>
    new Promise((done, fail) => {
      get({ socketPath: join(host.path, 'puma.sock'), path: '/' }, (answer) => {
        let text = ''
        answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        answer.on('end', () => done(text))
      }).on('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'EPIPE' || error.code === 'ECONNRESET') ask().then(done, fail)
        else fail(error)
      })
    })

  it('serves the new release from the same process, and answers all that is asked meanwhile', async () => {
    release('1')
    await start()
    expect(await ask()).toBe('1 in 1')
    release('2')
    // Puma goes on as it was until it is told.
    expect(await ask()).toBe('1 in 1')
    const restarting = host.restart(puma({ pidFile: pidFile() }))
    const answers: Promise<string>[] = []
    for (let ended = false; !ended;) {
      answers.push(ask())
      ended = await Promise.race([restarting.then(() => true), answers.at(-1)?.then(() => false) ?? false])
    }
    expect(await restarting).toEqual(['puma restarted'])
    expect(await ask()).toBe('2 in 2')
    for (const answer of await Promise.all(answers)) expect(['1 in 1', '2 in 2']).toContain(answer)
  })

  it('whose config names no folder is caught: it would serve the old release for ever', async () => {
    release('1', `directory '${host.deployTo}/releases/1'`)
    await start()
    release('2', '')
    expect(await host.restart(puma({ pidFile: pidFile(), wait: '1s' }))).toEqual([
      `RESTART_FAILED: web1: waiting for puma failed: it still works in ${host.deployTo}/releases/1 after 1 seconds, and not in ${host.deployTo}/releases/2 | ` +
        `Puma starts in the folder that its config names: config/puma.rb needs directory '${host.current}'.`,
    ])
  })

  it('one worker after the other, where told', async () => {
    const cluster = `directory '${host.current}'\nworkers 1\nprune_bundler false\nsilence_single_worker_warning`
    release('1', cluster)
    await start()
    release('2', cluster)
    expect(await host.restart(puma({ pidFile: pidFile(), mode: 'phased' }))).toEqual(['puma restarted'])
    // The old worker ends when it has answered those that it has taken.
    let answer = '1 in 1'
    while (answer === '1 in 1') answer = await ask()
    expect(answer).toBe('2 in 2')
  })

  it.each([
    ['there is no pid file', undefined, 'there is no pid file'],
    ['the pid file is empty', '', 'has no process number in it'],
    ['it names everything', '-1', 'has no process number in it'],
    ['it names the first process', '1', 'has no process number in it'],
    ['its process is gone', '4194303', 'is stale: there is no process 4194303'],
    [
      'it names another program',
      String(process.pid),
      `is stale: ${String(process.pid)} is another program's process`,
    ],
  ])('signals nothing where %s, and says what to do', async (_, content, message) => {
    release('1')
    if (content !== undefined) writeFileSync(pidFile(), content)
    const [said] = await host.restart(puma({ pidFile: pidFile() }))
    expect(said).toContain('RESTART_FAILED: web1: puma is not running')
    expect(said).toContain(message)
    expect(said).toContain(`puma({ start: 'the command that starts it' })`)
  })

  it('signals no Puma of another application, and starts its own where told', async () => {
    const other = makeRestartHost()
    other.release('1', { 'config.ru': '' })
    release('1')
    await start()
    const strategy = puma({ pidFile: pidFile(), start: 'touch tmp-started' })
    const logs = await other.restart(strategy)
    expect(logs[0]).toContain(
      `is stale: ${String(server?.pid)} is the puma of ${host.deployTo}/releases/1; starting it`,
    )
    expect(existsSync(join(other.current, 'tmp-started'))).toBe(true)
    await other[Symbol.asyncDispose]()
  })
})
