import { createHash, randomBytes } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type Readable, Transform, type TransformCallback, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Problem } from '@deployfile/core'
import { type Order, readable } from '../command/order.ts'
import { quotePath } from '../command/quote.ts'
import { beside, localFault, octal } from './entry.ts'
import { RENAME_OVER, SHA256 } from './rename.ts'

export interface Content {
  readonly size: number
  readonly sha256: string
}

/** Reads by a megabyte: 64 KiB reads cost 16 % of an upload (measured). */
const READ_SIZE = 1024 * 1024

/** Size and hash of a local file. @throws Problem `LOCAL_FILE` (task) when it cannot be read */
export async function contentOf(path: string): Promise<Content> {
  const hash = createHash('sha256')
  let size = 0
  try {
    if ((await stat(path)).isDirectory()) throw new Error('it is a folder, use uploadDir')
    for await (const chunk of createReadStream(path, { highWaterMark: READ_SIZE })) {
      hash.update(chunk as Buffer)
      size += (chunk as Buffer).length
    }
  } catch (cause) {
    throw localFault(`${path} cannot be read`, cause)
  }
  return { size, sha256: hash.digest('hex') }
}

export function contentOfText(content: string | Uint8Array): Content {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  return { size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
}

/**
 * Puts its standard input under a name: complete and verified, or not at all. A link that breaks looks like the end of the input
 * on the other side, so the end alone proves nothing.
 */
export function receiveOrder(
  text: string,
  path: string,
  content: Content,
  mode: number,
  input: string | Uint8Array | Readable,
): Order {
  const sh = `set -eu
path=${quotePath(path)} temp=${quotePath(beside(path))}
${RENAME_OVER}
${SHA256}
if [ -d "$path" ]; then echo "$path is a folder" >&2; exit 73; fi
trap 'rm -f -- "$temp"' EXIT
trap 'exit 143' HUP INT PIPE TERM
umask 077
set -C
cat > "$temp"
set +C
size=$(wc -c < "$temp")
[ "$((size))" -eq ${String(content.size)} ] || { echo "only $((size)) of ${String(content.size)} bytes arrived" >&2; exit 74; }
sum=$(sha256 < "$temp")
[ "$sum" = ${content.sha256} ] || { echo "the content was changed on its way (sha256 $sum)" >&2; exit 74; }
chmod ${octal(mode)} "$temp"
rename_over "$temp" "$path"`
  return { text, sh, reads: false, input }
}

export function localFile(path: string): Readable {
  return createReadStream(path, { highWaterMark: READ_SIZE })
}

/** Counts what flows through it. */
export function meter(tell: (bytes: number) => void): Transform {
  let bytes = 0
  return new Transform({
    highWaterMark: READ_SIZE,
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      bytes += chunk.length
      tell(bytes)
      done(null, chunk)
    },
  })
}

/** Size and hash in one line, then the content. */
export function sendOrder(path: string, into: Writable): Order {
  const sh = `set -eu
path=${quotePath(path)}
${SHA256}
if [ -d "$path" ]; then echo "$path is a folder" >&2; exit 73; fi
size=$(wc -c < "$path")
sum=$(sha256 < "$path")
echo "$((size)) $sum"
cat < "$path"`
  return { text: `cat ${readable(path)}`, sh, reads: true, silent: true, into }
}

export interface Landing {
  readonly into: Writable
  /** To be called when the command has ended well: checks, syncs and renames. Returns the bytes. */
  land(): Promise<number>
  discard(): Promise<void>
}

/** A place for one download beside `to`, readable by nobody else until it is whole. */
export async function landing(
  to: string,
  mode: number,
  tell: (bytes: number, total: number) => void,
): Promise<Landing> {
  const part = `${to}.${randomBytes(4).toString('hex')}.part`
  const hash = createHash('sha256')
  let header: Buffer | undefined = Buffer.alloc(0)
  let expected: Content | undefined
  let bytes = 0
  try {
    await mkdir(dirname(to), { recursive: true })
    await (await open(part, 'wx', 0o600)).close()
  } catch (cause) {
    throw localFault(`${to} cannot be written`, cause)
  }
  const strip = new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      let body = chunk
      if (header) {
        header = Buffer.concat([header, chunk])
        const end = header.indexOf('\n')
        if (end === -1) {
          done()
          return
        }
        expected = parseHeader(header.subarray(0, end).toString())
        body = header.subarray(end + 1)
        header = undefined
      }
      hash.update(body)
      bytes += body.length
      if (expected) tell(bytes, expected.size)
      done(null, body)
    },
  })
  const file = createWriteStream(part, { flags: 'r+' })
  const giveUp = new AbortController()
  const written = pipeline(strip, file, { signal: giveUp.signal })
  // Awaited in land or discard; until then a fault must not count as unhandled.
  written.catch((cause: unknown) => strip.destroy(cause as Error))
  return {
    into: strip,
    async land() {
      try {
        await written
      } catch (cause) {
        throw localFault(`${to} cannot be written`, cause)
      }
      const sha256 = hash.digest('hex')
      if (expected?.size !== bytes || expected.sha256 !== sha256) {
        throw new Problem(
          'task',
          'TRANSFER_BROKEN',
          `${to} was not received whole: ${String(bytes)} of ${String(expected?.size ?? 'unknown')} bytes, sha256 ${sha256} instead of ${expected?.sha256 ?? 'unknown'}`,
          { hint: 'Nothing was kept. The file may be being written to on the other side; try again.' },
        )
      }
      const handle = await open(part, 'r+')
      try {
        await handle.chmod(mode)
        await handle.sync()
      } finally {
        await handle.close()
      }
      await rename(part, to)
      return bytes
    },
    async discard() {
      // Not by destroying a stream: a pipeline whose first one has just ended would then wait for ever (Node 20).
      giveUp.abort()
      await written.catch(() => undefined)
      await rm(part, { force: true })
    },
  }
}

function parseHeader(line: string): Content | undefined {
  const match = /^(\d+) ([0-9a-f]{64})$/.exec(line)
  return match?.[1] === undefined || match[2] === undefined
    ? undefined
    : { size: Number(match[1]), sha256: match[2] }
}
