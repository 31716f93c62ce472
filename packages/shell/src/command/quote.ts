import { isSecret, Problem, type Secret } from '@deployfile/core'

/**
 * One word of POSIX sh that means exactly `text`: all bytes but NUL pass (dash and bash, XCU 2.2.2).
 * @throws Problem `VALUE_UNQUOTABLE` (usage) for NUL, which no argument of a program can hold, and for half of a character
 */
export function quote(text: string): string {
  return `'${passable(text).replaceAll("'", String.raw`'\''`)}'`
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

/**
 * The text, when a program can be given it.
 * @param what for the message
 * @throws Problem `VALUE_UNQUOTABLE`, `SECRET_IN_COMMAND` (usage)
 */
export function passable(text: string, what = 'a value for a command'): string {
  if (isSecret(text)) throw secretInCommand(text, 'a command')
  if (text.includes('\0')) throw unquotable(what, text, 'a NUL byte')
  // It has no UTF-8, and would silently arrive as U+FFFD.
  if (/\p{Surrogate}/u.test(text)) throw unquotable(what, text, 'half of a surrogate pair')
  return text
}

/** `where`: "the command `psql …` has as value 1"; arguments are seen by everybody who may list processes. */
export function secretInCommand(secret: Secret, where: string): Problem {
  return new Problem(
    'usage',
    'SECRET_IN_COMMAND',
    `${where} has the secret '${secret.name}' in its text, where every user of the machine could read it`,
    {
      hint: 'Give it to the command as an environment variable, .with({ secrets: { PGPASSWORD: … } }), or on its standard input, .with({ input: … }).',
    },
  )
}

function unquotable(what: string, text: string, contains: string): Problem {
  return new Problem('usage', 'VALUE_UNQUOTABLE', `${what} contains ${contains}: ${shown(text)}`)
}

function shown(text: string): string {
  const json = JSON.stringify(text)
  return json.length > 60 ? `${json.slice(0, 57)}…"` : json
}
