import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Readable, Transform, type TransformCallback } from 'node:stream'
import { isProblem } from '@deployfile/core'
import type { Order } from '../command/order.ts'
import { quotePath } from '../command/quote.ts'
import { beside, octal } from './entry.ts'
import { localFault, REFUSE, refused } from './failure.ts'
import type { Tell } from './progress.ts'
import { RENAME_OVER, SHA256 } from './sh.ts'

export interface Content {
  readonly size: number
  readonly sha256: string
}

/** Reads by a megabyte: 64 KiB reads cost 16 % of an upload (measured). */
const READ_SIZE = 1024 * 1024

/** Size and hash of a local file. @throws Problem `WRONG_KIND` (task) for what is no regular file; those of {@link localFault} */
export async function contentOf(path: string): Promise<Content> {
  const hash = createHash('sha256')
  let size = 0
  try {
    const found = await stat(path)
    if (!found.isFile()) {
      const folder = found.isDirectory()
      throw refused(
        'WRONG_KIND',
        `this machine: ${path} cannot be read: it is ${folder ? 'a folder' : 'no regular file'}`,
        { path, ...(folder && { hint: 'Use uploadDir for a folder.' }) },
      )
    }
    for await (const chunk of createReadStream(path, { highWaterMark: READ_SIZE })) {
      hash.update(chunk as Buffer)
      size += (chunk as Buffer).length
    }
  } catch (cause) {
    throw isProblem(cause) ? cause : localFault(path, 'read', cause)
  }
  return { size, sha256: hash.digest('hex') }
}

export function contentOfText(content: string | Uint8Array): Content {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  return { size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
}

/** A local file as a stream that tells how far it is. No more of it than `total`: a log may have grown since it was hashed. */
export function metered(path: string, total: number, tell: Tell): Readable {
  let bytes = 0
  const source =
    total === 0 ? Readable.from([]) : createReadStream(path, { highWaterMark: READ_SIZE, end: total - 1 })
  const meter = new Transform({
    highWaterMark: READ_SIZE,
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      bytes += chunk.length
      tell(bytes, total)
      done(null, chunk)
    },
  })
  source.on('error', (cause: unknown) => meter.destroy(localFault(path, 'read', cause)))
  meter.on('close', () => source.destroy())
  return source.pipe(meter)
}

export interface FileUpload {
  readonly receive: Order
  /** For when nobody knows how `receive` ended. */
  readonly discard: Order
}

/**
 * Puts a standard input under a name: complete and verified, or not at all. A link that breaks looks like the end of the input
 * on the other side, so the end alone proves nothing.
 */
export function fileUpload(
  text: string,
  path: string,
  content: Content,
  mode: number,
  input: string | Uint8Array | Readable,
): FileUpload {
  const size = String(content.size)
  const temp = quotePath(beside(path))
  const sh = `set -eu
path=${quotePath(path)} temp=${temp}
${REFUSE}
${RENAME_OVER}
${SHA256}
if [ -d "$path" ]; then refuse 73 'it is a folder'; fi
if [ -e "$path" ] && [ ! -f "$path" ]; then refuse 73 'it is no regular file'; fi
trap 'rm -f -- "$temp"' EXIT
trap 'exit 143' HUP INT PIPE TERM
umask 077
set -C
cat > "$temp"
set +C
size=$(wc -c < "$temp")
[ "$((size))" -eq ${size} ] || refuse 74 "only $((size)) of ${size} bytes arrived"
sum=$(sha256 ${size} < "$temp")
[ "$sum" = ${content.sha256} ] || refuse 74 "the content was changed on its way (sha256 $sum)"
chmod ${octal(mode)} "$temp"
rename_over "$temp" "$path"`
  return {
    receive: { text, sh, reads: false, input },
    discard: { text: `rm -f ${temp}`, sh: `rm -f -- ${temp}`, reads: false },
  }
}
