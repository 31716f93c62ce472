import { spawn } from 'node:child_process'

/** How a command ended, and all that it wrote. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  /** Both streams in the order in which they came. */
  readonly output: string
}

export interface Running {
  readonly pid: number
  readonly ended: Promise<Ended>
  /** What it has written so far, both streams. */
  output(): string
  /** Sends a signal to the whole process group, as a terminal does for Ctrl-C. */
  interrupt(signal: NodeJS.Signals): void
}

/** Starts a command in a process group of its own, without a terminal and with an empty standard input. */
export function start(
  file: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Running {
  const child = spawn(file, args, { ...options, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  const { pid } = child
  if (pid === undefined) throw new Error(`${file} could not be started`)
  let stdout = ''
  let stderr = ''
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    output += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    output += text
  })
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr, output }))
  })
  return { pid, ended, output: () => output, interrupt: (signal) => process.kill(-pid, signal) }
}

/** Resolves once `condition` holds; for what another process does. Rejects after 60 seconds. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const late = Date.now() + 60_000
  while (!condition()) {
    if (Date.now() > late) throw new Error(`waited a minute, and still not: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
