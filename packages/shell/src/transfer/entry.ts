import { randomBytes } from 'node:crypto'
import { posix } from 'node:path'
import { type FileOptions, Problem } from '@deployfile/core'
import { type Order, readable } from '../command/order.ts'
import { quote, quotePath } from '../command/quote.ts'
import { REFUSE } from './failure.ts'
import { RENAME_OVER } from './sh.ts'

/** More than this is a download, not a configuration file that is read into a string. */
export const READ_LIMIT = 16 * 1024 * 1024

export function readOrder(path: string): Order {
  return {
    text: `cat ${readable(path)}`,
    // A FIFO would be waited for, for ever.
    sh: `path=${quotePath(path)}
${REFUSE}
if [ -d "$path" ]; then refuse 73 'it is a folder'; fi
if [ -e "$path" ] && [ ! -f "$path" ]; then refuse 73 'it is no regular file'; fi
cat < "$path"`,
    reads: true,
    silent: true,
    capture: 2 * READ_LIMIT,
  }
}

/** A dangling link does not exist, as for every program that would open it. */
export function existsOrder(path: string): Order {
  return { text: `test -e ${readable(path)}`, sh: `[ -e ${quotePath(path)} ]`, reads: true }
}

/** `mode` undefined leaves it to the umask. It is set only on what is made, and only on the last folder. */
export function mkdirOrder(path: string, mode: number | undefined): Order {
  const option = mode === undefined ? '' : `-m ${octal(mode)} `
  return {
    text: `mkdir -p ${readable(path)}`,
    sh: `${REFUSE}\nmkdir -p ${option}${quotePath(path)}`,
    reads: false,
  }
}

/**
 * Refuses what nobody means: the root, the home and all above it, the folder that paths start in, and relative paths that climb.
 * @returns the path in its plainest form
 * @throws Problem `REMOVE_REFUSED` (usage)
 */
export function plainRemoval(path: string): string {
  const home = path.startsWith('~/')
  const plain = posix.normalize(home ? path.slice(2) : path).replace(/(.)\/+$/, '$1')
  if (path === '' || ['/', '//', '.', '~'].includes(plain) || /^\.\.(\/|$)/.test(plain)) {
    throw new Problem('usage', 'REMOVE_REFUSED', `refused to remove ${JSON.stringify(path)}`, {
      hint: 'Name the folder itself, by an absolute path or one that goes down.',
    })
  }
  return home ? `~/${plain}` : plain
}

/** @throws those of {@link plainRemoval} */
export function removeOrder(path: string): Order {
  const target = plainRemoval(path)
  // The last check is on the other side: only there is it known what the home is and where links lead.
  const sh = `${REFUSE}
p=${quotePath(target)}
if [ -d "$p" ] && [ ! -L "$p" ]; then
  for kept in "$HOME" .; do
    kept=$(CDPATH= cd -P -- "$kept" 2>/dev/null && pwd) || continue
    here=$(CDPATH= cd -P -- "$p" 2>/dev/null && pwd) || continue
    case $kept/ in "\${here%/}"/*) refuse 77 "refused to remove $here: $kept is in it" ;; esac
  done
fi
rm -rf -- "$p"`
  return { text: `rm -rf ${readable(target)}`, sh, reads: false }
}

export function symlinkOrder(target: string, path: string): Order {
  const sh = `set -eu
${REFUSE}
target=${quote(target)} path=${quotePath(path)} temp=${quotePath(beside(path))}
${RENAME_OVER}
if [ -d "$path" ] && [ ! -L "$path" ]; then refuse 73 'it is a folder, not a link'; fi
trap 'rm -f -- "$temp"' EXIT
trap 'exit 143' HUP INT PIPE TERM
ln -s -- "$target" "$temp"
rename_over "$temp" "$path"
[ "$(readlink "$path"; echo .)" = "$target
." ] || refuse 75 "$path was changed by somebody else: it leads to $(readlink "$path")"`
  return { text: `ln -sfn ${readable(target)} ${readable(path)}`, sh, reads: false }
}

export function renameOrder(from: string, to: string): Order {
  const sh = `${REFUSE}\n${RENAME_OVER}\nrename_over ${quotePath(from)} ${quotePath(to)}`
  return { text: `mv ${readable(from)} ${readable(to)}`, sh, reads: false }
}

/** A name in the same folder that is nobody's: hidden, so that no listing of releases takes it for one. */
export function beside(path: string): string {
  const plain = path.replace(/(.)\/+$/, '$1')
  const name = posix.basename(plain)
  // 255 bytes is what file systems give a name.
  const short = Buffer.byteLength(name) > 180 ? name.slice(0, 40) : name
  const temp = `.${short}.${randomBytes(6).toString('hex')}.part`
  const slash = plain.lastIndexOf('/')
  return slash === -1 ? temp : `${plain.slice(0, slash + 1)}${temp}`
}

export function fileMode(options: FileOptions | undefined, umask: number | undefined): number {
  return options?.mode ?? (umask === undefined ? 0o644 : 0o666 & ~umask)
}

export function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, '0')
}
