import { createHash } from 'node:crypto'
import { lstat, mkdir, readdir, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Transform, type TransformCallback } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { isProblem } from '@deployfile/core'
import { type Order, readable } from '../command/order.ts'
import { quotePath } from '../command/quote.ts'
import { beside } from './entry.ts'
import { localFault, REFUSE, refused } from './failure.ts'
import type { Tell } from './progress.ts'
import { SHA256 } from './sh.ts'
import { createTreeCheck } from './tree-check.ts'
import { removeTree, unpack } from './unpack.ts'

/**
 * A line with the bytes that are to be expected, the tar stream, and `ok <sha256>` of it. The hash is made of the bytes as they are
 * sent; a reader that fails says so by its status, as `set -e` sees only the last of a pipeline.
 */
export function sendTreeOrder(path: string, into: Transform): Order {
  const sh = `set -eu
unset TAR_OPTIONS
export COPYFILE_DISABLE=1
path=${quotePath(path)}
${REFUSE}
${SHA256}
if [ ! -d "$path" ] && [ -e "$path" ]; then refuse 73 'it is no folder'; fi
if [ ! -d "$path" ]; then refuse 72 'there is no such folder'; fi
cd -- "$path"
total=$(find . -exec ls -lnqd {} + 2>/dev/null | awk '{ bytes += 512; if (/^-/) bytes += int(($5 + 511) / 512) * 512 } END { printf "%.0f", bytes + 1024 }')
echo "$total"
exec 3>&1 5>&2
result=$(
  exec 4>&1
  { { tar -c -f - . 2>&5 3>&- && echo ok >&4; } | tee /dev/stderr 2>&1 >&3; } | sha256 "$total"
)
case $result in ok*) ;; *) exit 1 ;; esac
echo $result`
  return { text: `tar -c -C ${readable(path)} .`, sh, reads: true, silent: true, into }
}

/** `ok`, a space, 64 digits and the end of the line. */
const TRAILER = 68

export interface TreeLanding {
  readonly into: Transform
  /** To be called when the command has ended well: checks and renames. Returns the bytes of the stream. */
  land(): Promise<number>
  discard(): Promise<void>
}

/** A place for one tree beside `to`, closed to others until it is whole. */
export async function treeLanding(from: string, host: string, to: string, tell: Tell): Promise<TreeLanding> {
  await refuseTaken(to)
  const part = beside(to)
  try {
    await mkdir(dirname(to), { recursive: true })
    await mkdir(part, { mode: 0o700 })
  } catch (cause) {
    throw localFault(to, 'written', cause)
  }
  const unpacking = await unpack(part)
  const check = createTreeCheck((entry, reason) =>
    refused('TREE_REFUSED', `${host}: ${from} was not taken: ${entry} ${reason}`, {
      host,
      path: from,
      hint: 'Nothing was kept of it. Look at that entry; what is behind it can be downloaded on its own.',
    }),
  )
  const hash = createHash('sha256')
  let header: Buffer | undefined = Buffer.alloc(0)
  let total = 0
  let bytes = 0
  let held: Buffer = Buffer.alloc(0)
  const strip = new Transform({
    highWaterMark: 1024 * 1024,
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      let body = chunk
      if (header) {
        header = Buffer.concat([header, chunk])
        const end = header.indexOf('\n')
        if (end === -1) {
          done()
          return
        }
        total = Number(header.subarray(0, end).toString())
        body = header.subarray(end + 1)
        header = undefined
      }
      // The end of what is here may be the trailer already.
      const all = held.length === 0 ? body : Buffer.concat([held, body])
      const now = all.subarray(0, Math.max(0, all.length - TRAILER))
      held = all.subarray(now.length)
      try {
        check.take(now)
      } catch (error) {
        done(error as Error)
        return
      }
      hash.update(now)
      bytes += now.length
      if (now.length > 0) tell(bytes, Math.max(bytes + 1, total))
      done(null, now)
    },
  })
  const giveUp = new AbortController()
  const written = pipeline(strip, unpacking.into, { signal: giveUp.signal })
  written.catch((cause: unknown) => strip.destroy(cause as Error))
  return {
    into: strip,
    async land() {
      try {
        await written
      } catch (cause) {
        throw isProblem(cause) ? cause : localFault(to, 'written', cause)
      }
      // First: what tar makes of bytes that nobody sent is no news of this machine.
      if (held.toString() !== `ok ${hash.digest('hex')}\n`) {
        throw refused('TRANSFER_BROKEN', `this machine: ${to} was not received whole from ${host}`, {
          host,
          path: to,
        })
      }
      try {
        await unpacking.done
      } catch (cause) {
        throw localFault(to, 'written', cause)
      }
      tell(bytes, bytes)
      try {
        await rename(part, to)
      } catch (cause) {
        throw localFault(to, 'written', cause)
      }
      return bytes
    },
    async discard() {
      giveUp.abort()
      await written.catch(() => undefined)
      await unpacking.done.catch(() => undefined)
      await removeTree(part)
    },
  }
}

async function refuseTaken(to: string): Promise<void> {
  const found = await lstat(to).catch(() => undefined)
  if (!found) return
  const taken = (reason: string): Error =>
    refused('WRONG_KIND', `this machine: ${to} cannot be written: ${reason}`, { path: to })
  if (!found.isDirectory()) throw taken('it exists and is no folder')
  if ((await readdir(to)).length > 0) throw taken('it exists and is not empty')
}
