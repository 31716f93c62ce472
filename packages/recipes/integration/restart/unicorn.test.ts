import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../../../test/e2e/command.ts'
import { startOwnProcess, type OwnProcess } from '../../../../test/servers/own-process.ts'
import { unicorn } from '../../src/index.ts'
import { makeRestartHost, type RestartHost } from './on-host.ts'

// A server in Node that takes signals as Unicorn does: USR2 starts another one of `current` beside it, which gets the pid file, while
// its own moves to `….oldbin`; QUIT ends it.
const SERVER = `
import { spawn } from 'node:child_process'
import { appendFileSync, existsSync, renameSync, rmSync, writeFileSync } from 'node:fs'
const [pidFile, current] = process.argv.slice(2)
const say = (what) => appendFileSync(pidFile + '.log', what + ' ' + process.pid + '\\n')
process.title = 'unicorn'
if (existsSync(process.cwd() + '/broken')) process.exit(1)
writeFileSync(pidFile, String(process.pid))
let own = pidFile
process.on('SIGUSR2', () => {
  say('USR2')
  renameSync(pidFile, pidFile + '.oldbin')
  own = pidFile + '.oldbin'
  const child = spawn(process.execPath, [current + '/server.mjs', pidFile, current], { cwd: current, stdio: 'ignore', detached: true })
  child.on('exit', () => {
    if (existsSync(own)) renameSync(own, pidFile)
    own = pidFile
  })
  child.unref()
})
process.on('SIGQUIT', () => {
  say('QUIT')
  if (existsSync(own) && own !== pidFile) rmSync(own)
  process.exit()
})
setInterval(() => {}, 1000)
console.log('ready')
`

let host: RestartHost
let first: OwnProcess
const pidFile = (): string => join(host.deployTo, 'shared/unicorn.pid')
const pid = (): string => readFileSync(pidFile(), 'utf8')
const said = (): readonly string[] =>
  existsSync(`${pidFile()}.log`) ? readFileSync(`${pidFile()}.log`, 'utf8').trimEnd().split('\n') : []

beforeEach(async () => {
  host = makeRestartHost()
  mkdirSync(join(host.deployTo, 'shared'), { recursive: true })
  host.release('1', { 'server.mjs': SERVER })
  first = await startOwnProcess({
    program: process.execPath,
    args: [join(host.current, 'server.mjs'), pidFile(), host.current],
    ready: /ready/,
    stopSignal: 'SIGTERM',
    folder: host.path,
    cwd: host.current,
  })
})
afterEach(async () => {
  await first.stop()
  const last = existsSync(pidFile()) ? Number(pid()) : first.pid
  if (last !== first.pid) {
    process.kill(last, 'SIGTERM')
    await until(
      'the second one ends',
      () =>
        !existsSync(`/proc/${String(last)}/cmdline`) ||
        readFileSync(`/proc/${String(last)}/cmdline`, 'utf8') === '',
    )
  }
  await host[Symbol.asyncDispose]()
})

describe('unicorn()', () => {
  it('ends the old one when the new one is there', async () => {
    host.release('2', { 'server.mjs': SERVER })
    expect(await host.restart(unicorn({ pidFile: pidFile() }))).toEqual(['unicorn restarted'])
    expect(Number(pid())).not.toBe(first.pid)
    await until('the old one has ended', () => said().length === 2)
    expect(said()).toEqual([`USR2 ${String(first.pid)}`, `QUIT ${String(first.pid)}`])
  })

  it('keeps the old one where no new one comes', async () => {
    host.release('2', { 'server.mjs': SERVER, broken: '' })
    const [message] = await host.restart(unicorn({ pidFile: pidFile(), wait: '1s' }))
    expect(message).toBe(
      `RESTART_FAILED: web1: waiting for the new unicorn failed: no new one has come within 1 seconds; the old one (${String(first.pid)}) goes on | ` +
        `Its log says more. Unicorn starts in the folder that its config names: working_directory '${host.current}'.`,
    )
    await until('the new one has ended', () => existsSync(pidFile()))
    expect(said()).toEqual([`USR2 ${String(first.pid)}`])
    expect(pid()).toBe(String(first.pid))
  })

  it('signals no process of another program', async () => {
    writeFileSync(pidFile(), String(process.pid))
    const [message] = await host.restart(unicorn({ pidFile: pidFile() }))
    expect(message).toContain(`is stale: ${String(process.pid)} is another program's process`)
    expect(said()).toEqual([])
    writeFileSync(pidFile(), String(first.pid))
  })
})
