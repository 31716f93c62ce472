import { Problem } from '@deployfile/core'

/**
 * One word of POSIX sh that means exactly `text`: all bytes but NUL pass (dash and bash, XCU 2.2.2).
 * @throws Problem `VALUE_UNQUOTABLE` (usage) for NUL, which no argument of a program can hold
 */
export function quote(text: string): string {
  if (text.includes('\0')) {
    throw new Problem(
      'usage',
      'VALUE_UNQUOTABLE',
      `a value for a command contains a NUL byte: ${shown(text)}`,
    )
  }
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}

/**
 * A path as one word. `~` and `~/…` start at the home of whoever runs the command; relative paths get `./` in front,
 * so that a name with a leading dash is never taken for an option and CDPATH never plays a part.
 * @throws Problem `PATH_EMPTY` (usage)
 */
export function quotePath(path: string): string {
  if (path === '') throw new Problem('usage', 'PATH_EMPTY', 'a path is empty')
  if (path === '~' || path === '~/') return '"$HOME"'
  if (path.startsWith('~/')) return `"$HOME"/${quote(path.slice(2))}`
  return quote(path.startsWith('/') ? path : `./${path}`)
}

function shown(text: string): string {
  const json = JSON.stringify(text)
  return json.length > 60 ? `${json.slice(0, 57)}…"` : json
}
