import { existsSync, readFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../../../test/e2e/command.ts'
import { startOwnProcess, type OwnProcess } from '../../../../test/servers/own-process.ts'
import { requireService, servicesFound } from '../../../../test/servers/service.ts'
import { unicorn } from '../../src/index.ts'
import { makeRestartHost, type RestartHost } from './on-host.ts'

describe.runIf(servicesFound('unicorn'))('unicorn(), of a real Unicorn', () => {
  let host: RestartHost
  let first: OwnProcess
  beforeEach(async () => {
    host = makeRestartHost()
    release('1')
    first = await startOwnProcess({
      program: requireService('unicorn'),
      args: ['-c', join(host.current, 'config/unicorn.rb')],
      ready: /worker=0 ready/,
      stopSignal: 'SIGTERM',
      folder: host.path,
      cwd: host.current,
    })
  })
  afterEach(async () => {
    const last = existsSync(pidFile()) ? pid() : first.pid
    if (last !== first.pid) process.kill(last, 'SIGTERM')
    await first.stop()
    await until('the last one has ended', () => hasEnded(last))
    await host[Symbol.asyncDispose]()
  })

  const pidFile = (): string => join(host.deployTo, 'shared/unicorn.pid')
  const pid = (): number => Number(readFileSync(pidFile(), 'utf8'))
  // One that nobody waits for keeps its number, with an empty command line.
  const hasEnded = (pid: number): boolean => {
    const file = `/proc/${String(pid)}/cmdline`
    return !existsSync(file) || readFileSync(file, 'utf8') === ''
  }

  function release(name: string, config = `working_directory '${host.current}'`): void {
    host.release(name, {
      'config.ru': `run ->(_) { [200, { 'Content-Type' => 'text/plain' }, ['${name} in ' + File.basename(Dir.pwd)]] }\n`,
      'config/unicorn.rb': `${config}\npid '${pidFile()}'\nlisten '${host.path}/unicorn.sock'\nworker_processes 1\n`,
    })
  }

  const ask = (): Promise<string> =>
    new Promise((done, fail) => {
      get({ socketPath: join(host.path, 'unicorn.sock'), path: '/' }, (answer) => {
        let text = ''
        answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        answer.on('end', () => done(text))
      }).on('error', fail)
    })

  it('serves the new release from a new process, ends the old one, and drops no request meanwhile', async () => {
    expect(await ask()).toBe('1 in 1')
    release('2')
    expect(await ask()).toBe('1 in 1')
    const restarting = host.restart(unicorn({ pidFile: pidFile() }))
    const answers: string[] = []
    for (let ended = false; !ended;) {
      const answer = ask()
      ended = await Promise.race([restarting.then(() => true), answer.then(() => false)])
      answers.push(await answer)
    }
    expect(await restarting).toEqual(['unicorn restarted'])
    for (const answer of answers) expect(['1 in 1', '2 in 2']).toContain(answer)
    expect(pid()).not.toBe(first.pid)
    await until('the old one has ended', () => hasEnded(first.pid))
    expect(await ask()).toBe('2 in 2')
  })

  it('goes on with the old one where the new one cannot start', async () => {
    release('2', "raise 'no such thing'")
    expect(await host.restart(unicorn({ pidFile: pidFile(), wait: '2s' }))).toEqual([
      `RESTART_FAILED: web1: waiting for the new unicorn failed: no new one has come within 2 seconds; the old one (${String(first.pid)}) goes on | ` +
        `Its log says more. Unicorn starts in the folder that its config names: working_directory '${host.current}'.`,
    ])
    expect(await ask()).toBe('1 in 1')
    // And the next one is a restart as any other.
    release('3')
    expect(await host.restart(unicorn({ pidFile: pidFile() }))).toEqual(['unicorn restarted'])
    await until('the old one has ended', () => hasEnded(first.pid))
    expect(await ask()).toBe('3 in 3')
  })

  it('whose config names the folder of a release is caught: it would serve the old one for ever', async () => {
    release('2', `working_directory '${host.deployTo}/releases/1'`)
    const [message] = await host.restart(unicorn({ pidFile: pidFile() }))
    expect(message).toContain(
      `the new one would work in ${host.deployTo}/releases/1, and not in ${host.deployTo}/releases/2; the old one goes on`,
    )
    await until('the old one has its pid file again', () => existsSync(pidFile()) && pid() === first.pid)
    expect(await ask()).toBe('1 in 1')
  })
})
