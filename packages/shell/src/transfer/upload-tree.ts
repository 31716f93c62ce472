import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { Transform, type TransformCallback } from 'node:stream'
import ignore from 'ignore'
import { type Order, readable } from '../command/order.ts'
import { quotePath } from '../command/quote.ts'
import { beside, octal } from './entry.ts'
import { localFault, REFUSE, refused } from './failure.ts'
import { pack } from './pack.ts'
import type { Tell } from './progress.ts'
import { CLEAR, RENAME_OVER, SHA256 } from './sh.ts'
import { type Entry, tarSize, walk } from './walk.ts'

/** A folder of this machine, as it shall travel. */
export interface Tree {
  readonly from: string
  /** Permission bits of its root. */
  readonly mode: number
  readonly entries: readonly Entry[]
}

/**
 * @param exclude patterns as in a .gitignore file
 * @throws Problem `WRONG_KIND` (task) when `from` is no folder or holds special files; those of {@link localFault}
 */
export async function treeOf(from: string, exclude: readonly string[]): Promise<Tree> {
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
  return { from, mode: found.mode & 0o7777, entries: await walk(from, (path) => patterns.ignores(path)) }
}

/** A place over there that the tree is put together in. */
export interface TreePlace {
  readonly to: string
  /** As one word of sh. */
  readonly temp: string
  /** Where there is rsync, makes the temporary folder and prints `ready`. */
  readonly prepare: Order
  /** To be sent when the tree is there and proved. */
  readonly publish: Order
  /** For every other case. */
  readonly discard: Order
}

export function treePlace(to: string, mode: number): TreePlace {
  const plain = to.replace(/(.)\/+$/, '$1')
  const part = beside(plain)
  const [path, temp] = [quotePath(plain), quotePath(part)]
  const prepare = `${checks(path)}
if ! command -v rsync >/dev/null 2>&1; then echo none; exit 0; fi
mkdir -m 0700 -- ${temp}
echo ready`
  return {
    to: plain,
    temp,
    prepare: { text: `mkdir ${readable(part)}`, sh: prepare, reads: false, silent: true },
    publish: {
      text: `mv ${readable(part)} ${readable(plain)}`,
      sh: publishScript(path, temp, mode),
      reads: false,
    },
    discard: { text: `rm -rf ${readable(part)}`, sh: `${CLEAR}\nclear_away ${temp}`, reads: false },
  }
}

export interface TreeStream {
  /** Unpacks into the place, and prints what it received. */
  readonly unpack: Order
  /** Says of the stream that was sent what `unpack` prints of what it received. */
  sum(): string
}

/** All of a tree as a tar stream. */
export async function treeStream({ from, entries }: Tree, place: TreePlace, tell: Tell): Promise<TreeStream> {
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
  return {
    unpack: {
      text: `tar -x > ${readable(place.to)}`,
      sh: unpackScript(quotePath(place.to), place.temp, total),
      reads: false,
      silent: true,
      input: measured,
    },
    sum: () => `ok ${hash.copy().digest('hex')}`,
  }
}

function checks(path: string): string {
  return `set -eu
unset TAR_OPTIONS
path=${path}
${REFUSE}
if [ -L "$path" ] || { [ -e "$path" ] && [ ! -d "$path" ]; }; then refuse 73 'it exists and is no folder'; fi
if [ -d "$path" ] && [ -n "$(ls -A "$path")" ]; then refuse 73 'it exists and is not empty'; fi`
}

// The folder under the temporary name is the tree's root itself: put inside of one, a root without write permission could not be
// moved out again. What tee writes to its standard error goes into the hash; /dev/stderr is everywhere, numbers above 2 are not.
function unpackScript(to: string, temp: string, bytes: number): string {
  return `${checks(to)}
temp=${temp}
${SHA256}
${CLEAR}
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

function publishScript(to: string, temp: string, mode: number): string {
  return `set -eu
path=${to} temp=${temp}
${REFUSE}
${RENAME_OVER}
${CLEAR}
trap 'clear_away "$temp"' EXIT
trap 'exit 143' HUP INT PIPE TERM
if [ -d "$path" ] && [ ! -L "$path" ]; then rmdir -- "$path"; fi
if [ -e "$path" ] || [ -L "$path" ]; then refuse 73 'it came into being meanwhile'; fi
chmod ${octal(mode)} "$temp"
rename_over "$temp" "$path"`
}
