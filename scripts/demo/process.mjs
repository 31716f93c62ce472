// Programs that the demo starts: those it waits for, and those that stay until the end and are stopped by their process id.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { DemoFailed } from './screen.mjs'

/** The signal that told the demo to stop, if one has. */
let stoppedBy
/** The program that is being waited for. */
let current
const leaving = []

export class Interrupted extends Error {
  constructor(signal) {
    super(`stopped by ${signal}`)
    this.exitCode = 128 + { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 }[signal]
  }
}

/** Makes the signals end the program that is waited for, and then the demo, by way of `cleanUp`. */
export function catchSignals() {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      stoppedBy ??= signal
      // A terminal sends Ctrl-C to the program as well, and a second one would tell it to drop everything.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) current?.kill(signal)
    })
  }
}

/** To be done at the end, however it comes; the last registered goes first. */
export function atTheEnd(action) {
  leaving.push(action)
}

export async function cleanUp() {
  while (leaving.length > 0) await leaving.pop()()
}

/**
 * Runs a program and waits for it. `show` lets it write to the screen, otherwise its output is returned.
 * @throws DemoFailed when it does not end with code 0, Interrupted when the demo was told to stop
 */
export async function run(file, args, { show = false, ...options } = {}) {
  if (stoppedBy) throw new Interrupted(stoppedBy)
  const child = spawn(file, args, { stdio: show ? 'inherit' : ['ignore', 'pipe', 'pipe'], ...options })
  current = child
  let output = ''
  let errors = ''
  child.stdout?.setEncoding('utf8').on('data', (text) => (output += text))
  child.stderr?.setEncoding('utf8').on('data', (text) => (errors += text))
  try {
    const [code, signal] = await once(child, 'close')
    if (stoppedBy) throw new Interrupted(stoppedBy)
    if (code !== 0) {
      const how = signal ? `was ended by ${signal}` : `ended with code ${code}`
      throw new DemoFailed(`${[file, ...args].join(' ')} ${how}\n${errors || output}`.trimEnd())
    }
    return output.trimEnd()
  } catch (error) {
    if (error.code === 'ENOENT') throw new DemoFailed(`${file} is not installed, or not on PATH`)
    throw error
  } finally {
    current = undefined
  }
}

/**
 * Starts a program that stays until the end, in a process group of its own so that Ctrl-C reaches it only through `cleanUp`.
 * Resolves with what `ready` finds in its output.
 * @throws DemoFailed when it ends before that, or says nothing for 30 s
 */
export async function keepRunning(file, args, { ready, endSignal = 'SIGTERM', ...options }) {
  if (stoppedBy) throw new Interrupted(stoppedBy)
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true, ...options })
  const ended = new Promise((resolve) => child.once('exit', resolve).once('error', resolve))
  atTheEnd(async () => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    child.kill(endSignal)
    const last = setTimeout(() => child.kill('SIGKILL'), 10_000)
    await ended
    clearTimeout(last)
  })
  let said = ''
  return await new Promise((resolve, reject) => {
    const fail = (why) => reject(new DemoFailed(`${file} ${why}\n${said}`.trimEnd()))
    const late = setTimeout(() => fail('was not ready after 30 seconds'), 30_000)
    ended.then((why) => fail(`ended before it was ready (${why})`))
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        if (said.length < 10_000) said += text
        const match = ready.exec(said)
        if (!match) return
        clearTimeout(late)
        resolve({ pid: child.pid, match })
      })
    }
  })
}
