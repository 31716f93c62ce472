import { Writable } from 'node:stream'
import { type Order, readable } from '../command/order.ts'
import { quote, quotePath } from '../command/quote.ts'
import { REFUSE, refused } from './failure.ts'
import { openPart } from './part.ts'
import type { Tell } from './progress.ts'
import { SHA256 } from './sh.ts'

/** `ok`, a space, 64 digits and the end of the line. */
const TRAILER = 68

export interface FileDownload {
  /** Brings what is still missing. A new one for each attempt. */
  attempt(): Order
  /** After an attempt whose link broke: all that it brought is kept for the next one. Returns the bytes that are there. */
  pause(): Promise<{ readonly bytes: number; readonly total: number | undefined }>
  /**
   * After an attempt that ended well. Undefined: what an earlier download had left was not of this file after all, and has been thrown
   * away; another attempt begins at the beginning.
   * @throws Problem `TRANSFER_BROKEN` (task)
   */
  land(): Promise<number | undefined>
  leave(keep: boolean): Promise<void>
}

/** @throws those of {@link openPart} */
export async function fileDownload(
  host: string,
  from: string,
  to: string,
  options: { readonly mode: number; readonly resume: boolean },
  tell: Tell,
): Promise<FileDownload> {
  const part = await openPart(to, `${host} ${from}`, options.resume)
  let continued = part.bytes > 0
  let receiver: Receiver | undefined
  return {
    attempt() {
      const { version, bytes } = part
      receiver = createReceiver(part, tell)
      return sendOrder(from, version ?? '', bytes, receiver.into)
    },
    async pause() {
      await receiver?.over()
      const size = part.version?.split(' ')[0]
      return { bytes: part.bytes, total: size === undefined ? undefined : Number(size) }
    },
    async land() {
      await receiver?.over()
      const { bytes } = part
      const total = receiver?.total() ?? Infinity
      if (bytes >= total && receiver?.trailer() === `ok ${part.sha256()}\n`) {
        tell(bytes, bytes)
        await part.land(options.mode)
        return bytes
      }
      if (continued) {
        continued = false
        await part.restart(part.version ?? '')
        return undefined
      }
      await part.restart(part.version ?? '')
      const what =
        bytes < total ? `only ${String(bytes)} of ${String(total)} bytes` : 'other bytes than were read there'
      throw refused('TRANSFER_BROKEN', `${host}: ${from} was not received whole: ${what} arrived`, {
        host,
        path: from,
      })
    },
    leave: (keep) => part.leave(keep),
  }
}

interface Receiver {
  readonly into: Writable
  total(): number | undefined
  trailer(): string
  /** Resolves when all that was given to `into` is written. */
  over(): Promise<void>
}

function createReceiver(part: Awaited<ReturnType<typeof openPart>>, tell: Tell): Receiver {
  let header: Buffer | undefined = Buffer.alloc(0)
  let total: number | undefined
  let held: Buffer = Buffer.alloc(0)
  const take = async (chunk: Buffer): Promise<void> => {
    let body = chunk
    if (header) {
      header = Buffer.concat([header, chunk])
      const end = header.indexOf('\n')
      if (end === -1) return
      const [size = '', time = '', start = ''] = header.subarray(0, end).toString().split(' ')
      total = Number(size)
      if (Number(start) !== part.bytes || part.version !== `${size} ${time}`)
        await part.restart(`${size} ${time}`)
      body = header.subarray(end + 1)
      header = undefined
    }
    // The end of what is here may be the trailer already.
    const all = held.length === 0 ? body : Buffer.concat([held, body])
    const content = all.subarray(0, Math.max(0, all.length - TRAILER))
    held = Buffer.from(all.subarray(content.length))
    if (content.length === 0) return
    await part.write(content)
    // The end is told when it is proved.
    tell(part.bytes, Math.max(total ?? 0, part.bytes + 1))
  }
  const into = new Writable({
    highWaterMark: 1024 * 1024,
    // All that waits at once: packets have 32 KB, and each write is a trip to another thread.
    writev(chunks, done) {
      take(Buffer.concat(chunks.map(({ chunk }) => chunk as Buffer))).then(() => done(), done)
    },
  })
  const closed = new Promise<void>((resolve) => into.once('close', resolve))
  // Whoever awaits the attempt hears of it.
  into.on('error', () => undefined)
  return {
    into,
    total: () => total,
    trailer: () => held.toString(),
    async over() {
      into.end()
      await closed
    },
  }
}

/**
 * A line with size, time of change and the byte that it begins with, then the content from there, then `ok <sha256>` of the whole
 * file: of the bytes as they are read, so that a log that grows meanwhile is whole up to where it ended.
 */
function sendOrder(path: string, version: string, bytes: number, into: Writable): Order {
  const sh = `set -eu
path=${quotePath(path)} start=${String(bytes)}
${REFUSE}
${SHA256}
if [ -d "$path" ]; then refuse 73 'it is a folder'; fi
if [ -e "$path" ] && [ ! -f "$path" ]; then refuse 73 'it is no regular file'; fi
exec 6< "$path"
facts=$(stat -L -c '%s %Y' -- "$path" 2>/dev/null || stat -L -f '%z %m' -- "$path" 2>/dev/null || echo "$(($(wc -c < "$path"))) 0")
[ "$facts" = ${quote(version)} ] || start=0
echo "$facts $start"
exec 3>&1 5>&2
result=$(
  exec 4>&1
  {
    { cat <&6 2>&5 3>&- && echo ok >&4; } |
      if [ "$start" -eq 0 ]; then tee /dev/stderr 2>&1 >&3
      else { tee /dev/stderr 2>&7 | tail -c "+$((start + 1))" >&3; } 7>&1; fi
  } | sha256 "\${facts%% *}"
)
case $result in ok*) ;; *) exit 1 ;; esac
echo $result`
  return { text: `cat ${readable(path)}`, sh, reads: true, silent: true, into }
}
