import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { Transform, type TransformCallback } from 'node:stream'
import * as tar from 'tar'
import { Problem } from '@deployfile/core'
import { type Order, readable } from '../command/order.ts'
import { quotePath } from '../command/quote.ts'
import { beside, localFault } from './entry.ts'
import { RENAME_OVER, SHA256 } from './rename.ts'

export interface TreeUpload {
  /** Unpacks beside the target, and prints what it received. */
  readonly unpack: Order
  /** To be sent when `unpack` has printed exactly `sum()`. */
  readonly publish: Order
  /** For every other case. */
  readonly discard: Order
  /** Bytes and sha256 of the stream that was sent: `10240 9f86…`. */
  sum(): string
}

/**
 * A folder as a tar stream: modes, dotfiles and links as they are, owners left out.
 * @throws Problem `LOCAL_FILE` (task) when `from` is no folder
 */
export async function treeUpload(
  from: string,
  to: string,
  tell: (bytes: number) => void,
): Promise<TreeUpload> {
  await stat(from).then(
    (found) => {
      if (!found.isDirectory())
        throw localFault(`${from} cannot be uploaded`, 'it is not a folder, use uploadFile')
    },
    (cause: unknown) => {
      throw localFault(`${from} cannot be read`, cause)
    },
  )
  const hash = createHash('sha256')
  let bytes = 0
  const measured = new Transform({
    highWaterMark: 1024 * 1024,
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      hash.update(chunk)
      bytes += chunk.length
      tell(bytes)
      done(null, chunk)
    },
  })
  const plain = to.replace(/(.)\/+$/, '$1')
  const part = beside(plain)
  const temp = quotePath(part)
  return {
    unpack: {
      text: `tar -x -C ${readable(part)}`,
      sh: unpackScript(quotePath(plain), temp),
      reads: false,
      silent: true,
      input: pack(from, measured),
    },
    publish: {
      text: `mv ${readable(part)} ${readable(plain)}`,
      sh: publishScript(quotePath(plain), temp),
      reads: false,
    },
    discard: { text: `rm -rf ${readable(part)}`, sh: `rm -rf -- ${temp}`, reads: false },
    sum: () => `${String(bytes)} ${hash.copy().digest('hex')}`,
  }
}

function pack(from: string, into: Transform): Transform {
  const packed = tar.create(
    {
      cwd: from,
      strict: true,
      // node-tar's `portable` would also take write permission from groups; this drops only what belongs to this machine.
      onWriteEntry(entry) {
        if (entry.stat) {
          Object.assign(entry.stat, { uid: 0, gid: 0, atime: undefined, ctime: undefined })
          Object.assign(entry.stat, { dev: undefined, ino: undefined, nlink: undefined })
        }
        entry.myuser = ''
      },
    },
    ['.'],
  )
  packed.on('error', (cause: unknown) => into.destroy(localFault(`${from} cannot be packed`, cause)))
  packed.pipe(into)
  return into
}

function unpackScript(to: string, temp: string): string {
  return `set -eu
path=${to} temp=${temp}
${SHA256}
if [ -L "$path" ] || { [ -e "$path" ] && [ ! -d "$path" ]; }; then echo "$path exists and is no folder" >&2; exit 73; fi
if [ -d "$path" ] && [ -n "$(ls -A "$path")" ]; then echo "$path exists and is not empty" >&2; exit 73; fi
mkdir -m 0700 -- "$temp"
summing=
trap '[ -z "$summing" ] || kill $summing 2>/dev/null; rm -rf -- "$temp"' EXIT
trap 'exit 143' HUP INT PIPE TERM
mkfifo "$temp/hash" "$temp/count"
mkdir "$temp/tree"
sha256 < "$temp/hash" > "$temp/sum" &
summing=$!
wc -c < "$temp/count" > "$temp/size" &
summing="$summing $!"
tee "$temp/hash" "$temp/count" | { tar -x -p -o -f - -C "$temp/tree" && status=0 || status=$?; cat > /dev/null; exit "$status"; }
wait $summing
summing=
echo "$(($(cat "$temp/size"))) $(cat "$temp/sum")"
trap - EXIT`
}

function publishScript(to: string, temp: string): string {
  return `set -eu
path=${to} temp=${temp}
${RENAME_OVER}
trap 'rm -rf -- "$temp"' EXIT
trap 'exit 143' HUP INT PIPE TERM
if [ -d "$path" ] && [ ! -L "$path" ]; then rmdir -- "$path"; fi
if [ -e "$path" ] || [ -L "$path" ]; then echo "$path came into being meanwhile" >&2; exit 73; fi
rename_over "$temp/tree" "$path"`
}

/** @throws Problem `TRANSFER_BROKEN` (task) */
export function checkTree(host: string, to: string, received: string, sent: string): void {
  if (received.trim() === sent) return
  throw new Problem(
    'task',
    'TRANSFER_BROKEN',
    `${host}: ${to} was not received whole: ${received.trim() || 'nothing'} instead of ${sent}`,
    { host, hint: 'Nothing was put in its place. Try again.' },
  )
}
