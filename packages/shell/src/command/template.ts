import { isSecret, Problem, type ShellValue } from '@deployfile/core'
import { passable, quote, secretInCommand } from './quote.ts'

/**
 * The command of a template: every value becomes one quoted word, an array one word per element. Backslashes are the shell's
 * (`find . -name '*.rb' -exec rm {} \;`), as with String.raw.
 * A value between quotes of the template would break out of them (`'${x}'` becomes `''x''`), so that is refused.
 * @throws Problem `COMMAND_TEMPLATE`, `SECRET_IN_COMMAND`, `VALUE_UNQUOTABLE` (usage)
 */
export function compose(strings: TemplateStringsArray, values: readonly ShellValue[]): string {
  let command = ''
  const parts = strings.raw.map(asWritten)
  for (const [index, part] of parts.entries()) {
    command += passable(part)
    if (index >= values.length) break
    if (insideQuotes(parts.slice(0, index + 1))) {
      throw refused(
        command,
        `puts value ${String(index + 1)} between quotes`,
        'Leave the quotes out: every value is quoted already.',
      )
    }
    command += word(values[index], index, command)
  }
  return command
}

/** What one sees is what sh gets: of backslashes only those before a backtick and `${` are JavaScript's, which cannot do without. */
function asWritten(raw: string): string {
  return raw.replaceAll(/\\(?:(`|\$(?=\{))|[^])/g, (pair, bare: string | undefined) => bare ?? pair)
}

function word(value: unknown, index: number, before: string): string {
  if (typeof value === 'string') return quote(value)
  if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value)))
    return quote(String(value))
  if (isSecret(value)) throw secretInCommand(value, `the command \`${before.trim()}…\``)
  if (Array.isArray(value)) return value.map((element) => word(element, index, before)).join(' ')
  throw refused(before, `has ${value === null ? 'null' : typeof value} as value ${String(index + 1)}`)
}

function refused(before: string, what: string, hint?: string): Problem {
  return new Problem('usage', 'COMMAND_TEMPLATE', `the command \`${before.trim()}…\` ${what}`, { hint })
}

/**
 * Whether sh would be inside quotes after these parts. Knows quotes, backslashes, comments and `$( )`; in a here-document an odd
 * apostrophe fools it, and then `script` with positional values is the way.
 */
function insideQuotes(parts: readonly string[]): boolean {
  const nest: ("'" | '"' | '(')[] = []
  // A value stands for a finished word, so that a '#' after it starts no comment.
  const text = parts.join('x')
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    const within = nest.at(-1)
    if (within === "'") {
      if (char === "'") nest.pop()
    } else if (char === '\\') at++
    else if (char === '"') {
      if (within === '"') nest.pop()
      else nest.push('"')
    } else if (char === '$' && text[at + 1] === '(') {
      nest.push('(')
      at++
    } else if (within === '"') continue
    else if (char === "'") nest.push("'")
    else if (char === '(') nest.push('(')
    else if (char === ')' && within === '(') nest.pop()
    else if (char === '#' && (at === 0 || /[\s;&|(]/.test(text[at - 1] ?? ''))) {
      const end = text.indexOf('\n', at)
      if (end === -1) return false
      at = end
    }
  }
  return nest.at(-1) === "'" || nest.at(-1) === '"'
}
