import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { guard } from './guard.ts'

export interface OwnProcessOptions {
  /** Absolute path. */
  readonly program: string
  readonly args: readonly string[]
  /** What it prints when it can be used. */
  readonly ready: RegExp
  /** The signal that ends it in good order. */
  readonly stopSignal: NodeJS.Signals
  /** Removed when the test process dies without stopping it. */
  readonly folder: string
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  readonly uid?: number | undefined
  readonly gid?: number | undefined
}

/** A server that this test process started: known by its pid, ended by its pid. */
export interface OwnProcess {
  readonly pid: number
  /** All that it has printed so far. */
  log(): string
  /** Ends it in good order, or after ten seconds without. May be called twice. */
  stop(): Promise<void>
}

const START_MS = 30_000
const STOP_MS = 10_000

/** Resolves when the server says that it is ready; rejects with its own words when it ends or says nothing in time. */
export async function startOwnProcess(options: OwnProcessOptions): Promise<OwnProcess> {
  const { program, args, cwd, env, uid, gid } = options
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  })
  let text = ''
  const ready = new Promise<void>((done, fail) => {
    const tell = (what: string): void => fail(new Error(`${program} ${what}. It said:\n${text}`))
    const deadline = setTimeout(() => tell(`was not ready after ${START_MS / 1000} s`), START_MS)
    const listen = (chunk: Buffer): void => {
      text += chunk.toString()
      if (!options.ready.test(text)) return
      clearTimeout(deadline)
      done()
    }
    child.stdout.on('data', listen)
    child.stderr.on('data', listen)
    // 'close' and not 'exit', so that its last words have been read.
    child.on('close', (code, signal) => {
      clearTimeout(deadline)
      tell(`ended (${signal ?? `exit code ${code ?? '?'}`}) before it was ready`)
    })
    child.on('error', (error) => {
      clearTimeout(deadline)
      fail(new Error(`${program} did not start: ${error.message}`))
    })
  })
  try {
    await ready
  } catch (error) {
    await end(child, 'SIGKILL')
    throw error
  }
  const pid = child.pid as number
  const release = guard(pid, options.stopSignal, options.folder)
  return {
    pid,
    log: () => text,
    async stop() {
      await end(child, options.stopSignal)
      release()
    },
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill(signal)
  const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  await ended
  clearTimeout(late)
}
