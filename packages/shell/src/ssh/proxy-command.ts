import { spawn } from 'node:child_process'
import { Duplex } from 'node:stream'

/** A connection that a program makes for us (ProxyCommand). */
export interface ProxyCommand {
  readonly stream: Duplex
  /** How it ended, as part of a sentence; undefined while it runs. */
  ended(): string | undefined
}

/** What it said last is kept for the error. */
const SAID_LIMIT = 2_000
/** From its end to that of its output, which a child of its own may hold open. */
const CLOSE_WAIT = 1_000
const KILL_WAIT = 2_000

/** Started by the user's shell, as ssh does. In a session of its own: Ctrl-C must not cut the connections that undo still needs. */
export function startProxyCommand(command: string): ProxyCommand {
  const child = spawn(process.env['SHELL'] || '/bin/sh', ['-c', `exec ${command}`], {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  })
  let said = ''
  let ending: string | undefined
  child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-SAID_LIMIT)))
  const stream = new Duplex({
    read() {
      child.stdout.resume()
    },
    write(chunk: Buffer, _encoding, done) {
      // A pipe that nobody reads any more is told by the end of the program.
      if (child.stdin.write(chunk)) done()
      else child.stdin.once('drain', done)
    },
    final(done) {
      child.stdin.end()
      done()
    },
    destroy(error, done) {
      kill('SIGHUP')
      setTimeout(() => kill('SIGKILL'), KILL_WAIT).unref()
      done(error)
    },
  })
  const kill = (signal: NodeJS.Signals): void => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    try {
      process.kill(-child.pid, signal)
    } catch {
      // It has ended by itself.
    }
  }
  child.stdin.on('error', () => undefined)
  child.stdout.on('data', (chunk: Buffer) => {
    if (!stream.push(chunk)) child.stdout.pause()
  })
  // The end is passed on only when it is known how it came about.
  const end = (how: string): void => {
    if (ending !== undefined) return
    const words = said.trim().split('\n').slice(-5).join('; ')
    ending = `${how}${words === '' ? '' : `: ${words}`}`
    stream.push(null)
    // Nobody takes what is still to be written.
    child.stdin.destroy()
  }
  child.on('error', (error) => end(`could not be started (${error.message})`))
  child.on('exit', (code, signal) => {
    const how = signal === null ? `ended with exit code ${String(code)}` : `was ended by ${signal}`
    child.on('close', () => end(how))
    setTimeout(() => end(how), CLOSE_WAIT).unref()
  })
  return { stream, ended: () => ending }
}
