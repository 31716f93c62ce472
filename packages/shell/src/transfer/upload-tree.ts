import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { Transform, type TransformCallback } from 'node:stream'
import ignore from 'ignore'
import { type Order, readable } from '../command/order.ts'
import { quotePath } from '../command/quote.ts'
import { beside } from './entry.ts'
import { localFault, REFUSE, refused } from './failure.ts'
import { pack } from './pack.ts'
import type { Tell } from './progress.ts'
import { CLEAR, RENAME_OVER, SHA256 } from './sh.ts'
import { tarSize, walk } from './walk.ts'

export interface TreeUpload {
  /** Unpacks beside the target, and prints what it received. */
  readonly unpack: Order
  /** To be sent when `unpack` has printed exactly `sum()`. */
  readonly publish: Order
  /** For every other case. */
  readonly discard: Order
  /** Says of the stream that was sent what `unpack` prints of what it received. */
  sum(): string
}

/**
 * A folder as a tar stream, without what the patterns of `exclude` name.
 * @throws Problem `WRONG_KIND` (task) when `from` is no folder or holds special files; those of {@link localFault}
 */
export async function treeUpload(
  from: string,
  to: string,
  exclude: readonly string[],
  tell: Tell,
): Promise<TreeUpload> {
  const found = await stat(from).catch((cause: unknown) => {
    throw localFault(from, 'read', cause)
  })
  if (!found.isDirectory()) {
    throw refused('WRONG_KIND', `this machine: ${from} cannot be read: it is no folder`, {
      path: from,
      hint: 'Use uploadFile for a file.',
    })
  }
  const patterns = ignore().add(exclude)
  const entries = await walk(from, (path) => patterns.ignores(path))
  const total = tarSize(entries)
  const hash = createHash('sha256')
  let bytes = 0
  const measured = new Transform({
    highWaterMark: 1024 * 1024,
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      hash.update(chunk)
      bytes += chunk.length
      tell(bytes, Math.max(bytes + 1, total))
      done(null, chunk)
    },
    flush(done: TransformCallback) {
      tell(bytes, bytes)
      done()
    },
  })
  await pack(from, entries, measured)
  const plain = to.replace(/(.)\/+$/, '$1')
  const part = beside(plain)
  const temp = quotePath(part)
  return {
    unpack: {
      text: `tar -x -C ${readable(part)}`,
      sh: unpackScript(quotePath(plain), temp, total),
      reads: false,
      silent: true,
      input: measured,
    },
    publish: {
      text: `mv ${readable(part)} ${readable(plain)}`,
      sh: publishScript(quotePath(plain), temp),
      reads: false,
    },
    discard: { text: `rm -rf ${readable(part)}`, sh: `${CLEAR}\nclear_away ${temp}`, reads: false },
    sum: () => `ok ${hash.copy().digest('hex')}`,
  }
}

// The folder under the temporary name is the tree's root itself: put inside of one, a root without write permission could not be
// moved out again. What tee writes to its standard error goes into the hash; /dev/stderr is everywhere, numbers above 2 are not.
function unpackScript(to: string, temp: string, bytes: number): string {
  return `set -eu
unset TAR_OPTIONS
path=${to} temp=${temp}
${REFUSE}
${SHA256}
${CLEAR}
if [ -L "$path" ] || { [ -e "$path" ] && [ ! -d "$path" ]; }; then refuse 73 'it exists and is no folder'; fi
if [ -d "$path" ] && [ -n "$(ls -A "$path")" ]; then refuse 73 'it exists and is not empty'; fi
mkdir -m 0700 -- "$temp"
trap 'clear_away "$temp"' EXIT
trap 'exit 143' HUP INT PIPE TERM
exec 5>&2
result=$(
  exec 4>&1
  {
    tee /dev/stderr 2>&3 3>&- | {
      exec 3>&- >/dev/null
      tar -x -p -o -f - -C "$temp" 2>&5 && cat > /dev/null && echo ok >&4
    }
  } 3>&1 | sha256 ${String(bytes)}
)
case $result in ok*) ;; *) exit 1 ;; esac
echo $result
trap - EXIT`
}

function publishScript(to: string, temp: string): string {
  return `set -eu
path=${to} temp=${temp}
${REFUSE}
${RENAME_OVER}
${CLEAR}
trap 'clear_away "$temp"' EXIT
trap 'exit 143' HUP INT PIPE TERM
if [ -d "$path" ] && [ ! -L "$path" ]; then rmdir -- "$path"; fi
if [ -e "$path" ] || [ -L "$path" ]; then refuse 73 'it came into being meanwhile'; fi
rename_over "$temp" "$path"`
}
