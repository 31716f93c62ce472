import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Transform, type TransformCallback } from 'node:stream'
import type { Order } from '../command/order.ts'
import type { Done } from '../command/done.ts'
import { localFault, REFUSE } from './failure.ts'
import type { Tell } from './progress.ts'
import type { Entry } from './walk.ts'

/** Asked once for each PATH. macOS's own openrsync is another program. */
const known = new Map<string, Promise<boolean>>()

export function hasRsync(): Promise<boolean> {
  const path = process.env['PATH'] ?? ''
  const asked =
    known.get(path) ??
    new Promise<boolean>((resolve) => {
      execFile('rsync', ['--version'], { timeout: 5_000 }, (error, stdout) => {
        resolve(!error && /^rsync\s+version [3-9]/.test(stdout))
      })
    })
  known.set(path, asked)
  return asked
}

/** Stands for a folder of the host in the arguments of this machine's rsync, which need not be quoted for two shells then. */
const LIKE = 'LIKE'

// Contents are compared, not sizes and times: a build makes all times new, and a file that was changed in the same second must travel.
const ARGUMENTS = ['-lptHc', '--from0', '--files-from=-', '--no-implied-dirs', `--copy-dest=${LIKE}`]

export interface RsyncEnd {
  /** Of the host's rsync. */
  readonly done: Done
  /** Of this machine's; it tells what both have to say. */
  readonly exitCode: number | null
  readonly said: string
}

/**
 * Lets this machine's rsync talk to the host's over our own connection: its "remote shell" is a program of six lines that passes its
 * bytes on to this process, so that host keys, jump hosts and identities are ours and no second login is made.
 * @param like a folder over there, as one word of sh; what is the same there is copied from it. It may be missing.
 * @param temp where the tree is put, as one word of sh
 * @param run runs the other end
 */
export async function rsync(
  from: string,
  entries: readonly Entry[],
  { like, temp }: { readonly like: string; readonly temp: string },
  tell: Tell,
  run: (order: Order) => Promise<Done>,
): Promise<RsyncEnd> {
  const folder = await mkdtemp(join(tmpdir(), 'deployfile-rsync-'))
  const server = createServer({ allowHalfOpen: true })
  try {
    const [bridge, path] = [join(folder, 'bridge.cjs'), join(folder, 'socket')]
    await writeFile(bridge, BRIDGE, { mode: 0o600 })
    server.listen(path)
    await once(server, 'listening')
    const local = startRsync(from, entries, [process.execPath, bridge, path])
    let socket: Socket | undefined
    try {
      const first = await Promise.race([once(server, 'connection') as Promise<[Socket]>, local.ended])
      if (!Array.isArray(first))
        throw localFault(from, 'read', new Error(local.said() || 'rsync did not start'))
      socket = first[0]
      // What went wrong is said by whichever rsync ends with a fault.
      socket.on('error', () => undefined)
      const sh = serveScript(await firstLine(socket), like, temp)
      let sent = 0
      const input = counted(socket, (bytes) => tell((sent = bytes)))
      const done = await run({ text: 'rsync --server', sh, reads: false, silent: true, input, into: socket })
      if (done.ending.exitCode !== 0) socket.destroy()
      const exitCode = await local.over()
      tell(sent, sent)
      return { done, exitCode, said: local.said() }
    } finally {
      socket?.destroy()
      local.stop()
    }
  } finally {
    server.close()
    await rm(folder, { recursive: true, force: true })
  }
}

const AFTER_END = 10_000

const BRIDGE = `const socket = require('node:net').connect({ path: process.argv[2], allowHalfOpen: true })
socket.write(JSON.stringify(process.argv.slice(3)) + '\\n')
process.stdin.pipe(socket)
socket.pipe(process.stdout, { end: false })
socket.on('end', () => process.stdout.write('', () => process.exit(0)))
socket.on('error', () => process.exit(255))
`

function startRsync(from: string, entries: readonly Entry[], remoteShell: readonly string[]) {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('RSYNC_'))
  const child = spawn('rsync', [...ARGUMENTS, `${from}/`, 'host:.'], {
    stdio: ['pipe', 'ignore', 'pipe'],
    env: {
      ...Object.fromEntries(own),
      LC_ALL: 'C',
      RSYNC_RSH: remoteShell.map((word) => `"${word}"`).join(' '),
    },
  })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4_000)))
  child.stdin.on('error', () => undefined)
  // The first is the root: named alone, it would bring all that is in it.
  const names = entries.slice(1).flatMap(({ name }) => [name, Buffer.from([0])])
  child.stdin.end(Buffer.concat(names))
  const ended = new Promise<number | null>((resolve) => {
    child.on('error', () => resolve(null))
    child.on('close', resolve)
  })
  // When the other end has gone there is nothing left to do here but to notice.
  const over = async (): Promise<number | null> => {
    const timer = setTimeout(() => child.kill(), AFTER_END)
    return ended.finally(() => clearTimeout(timer))
  }
  return { ended, over, said: () => said.trim(), stop: () => void child.kill() }
}

/** The arguments for the other end, of which rsync itself made plain words: ours name nothing of the host. */
function serveScript(words: readonly string[], like: string, temp: string): string {
  const [, ...program] = words
  const odd = program.find((word) => !/^[\w.,=-]+$/.test(word))
  const at = program.indexOf(LIKE)
  if (program[0] !== 'rsync' || odd !== undefined || at === -1)
    throw new Error(`rsync asks for something unknown: ${words.join(' ')}`)
  const [before, after] = [program.slice(0, at - 1).join(' '), program.slice(at + 1).join(' ')]
  return `${REFUSE}
like=$(CDPATH= cd -P -- ${like} 2>/dev/null && pwd) || like=
cd -- ${temp} || exit 1
if [ -n "$like" ]; then exec ${before} --copy-dest "$like" ${after}; else exec ${before} ${after}; fi`
}

function firstLine(socket: Socket): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    let line = Buffer.alloc(0)
    const take = (): void => {
      for (let chunk = socket.read() as Buffer | null; chunk; chunk = socket.read() as Buffer | null) {
        line = Buffer.concat([line, chunk])
        const end = line.indexOf('\n')
        if (end === -1) continue
        socket
          .off('readable', take)
          .off('end', hungUp)
          .unshift(line.subarray(end + 1))
        resolve(JSON.parse(line.subarray(0, end).toString()) as string[])
        return
      }
    }
    const hungUp = (): void => reject(new Error('rsync hung up'))
    socket.on('readable', take).once('end', hungUp)
  })
}

function counted(socket: Socket, tell: (bytes: number) => void): Transform {
  let bytes = 0
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      bytes += chunk.length
      tell(bytes)
      done(null, chunk)
    },
  })
  return socket.pipe(counter)
}
