import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

/**
 * Ends what still runs through an sshd: its connections, and the commands it left behind (sshd does not end a command whose
 * client has gone, and init adopts it then). They are known by a variable that sshd gave them and by descent from its pid.
 */
export async function endMarkedProcesses(mark: string, value: string, server: number): Promise<void> {
  if (!existsSync('/proc/self/environ')) return
  const find = (): readonly number[] =>
    processes()
      .filter(({ pid }) => pid !== server && pid !== process.pid)
      .filter(marked(mark, value, server))
      .map(({ pid }) => pid)
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const deadline = Date.now() + 3_000
    // Again and again: one that was forked while they were being listed has not had its signal.
    for (let left = find(); left.length > 0 && Date.now() < deadline; left = find()) {
      for (const pid of left) send(pid, signal)
      await pause(20)
    }
  }
  const left = find()
  if (left.length > 0) throw new Error(`Processes ${left.join(', ')} of a test's sshd can't be ended.`)
}

/** Sends a signal to an sshd and to all that runs through it, the server first: nobody comes in meanwhile. */
export function signalMarkedProcesses(
  mark: string,
  value: string,
  server: number,
  signal: NodeJS.Signals,
): void {
  send(server, signal)
  for (const { pid } of processes().filter(marked(mark, value, server))) send(pid, signal)
}

/** Whether a process still runs; one that has ended and waits for its parent to notice does not. */
export function isRunning(pid: number): boolean {
  return processes().some((one) => one.pid === pid)
}

interface Process {
  readonly pid: number
  readonly parent: number
}

function marked(mark: string, value: string, server: number): (one: Process) => boolean {
  return ({ pid, parent }) => parent === server || environment(pid).includes(`${mark}=${value}`)
}

function processes(): readonly Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      // `pid (name) state parent …`, and the name may hold blanks and brackets.
      const [state, parent] = read(`/proc/${name}/stat`)
        .replace(/^.*\)\s/s, '')
        .split(' ')
      // A zombie has ended; only its parent can take it away.
      return parent === undefined || state === 'Z' ? [] : [{ pid: Number(name), parent: Number(parent) }]
    })
}

function environment(pid: number): readonly string[] {
  return read(`/proc/${pid}/environ`).split('\0')
}

/** Processes end while one reads about them, and others belong to somebody else. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended by itself.
  }
}
