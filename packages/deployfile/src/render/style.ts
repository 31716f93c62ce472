import { redact } from '@deployfile/core'
import { stripVTControlCharacters, styleText } from 'node:util'

/** A stream as far as a screen cares. */
export interface Output {
  write(text: string): unknown
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
  readonly rows?: number | undefined
}

type Paint = (text: string) => string

export interface Style {
  readonly bold: Paint
  readonly dim: Paint
  readonly red: Paint
  readonly green: Paint
  readonly yellow: Paint
  readonly cyan: Paint
}

/** FORCE_COLOR beats NO_COLOR, as in Node itself; else only a terminal gets colours. */
export function wantsColor(output: Output, env: NodeJS.ProcessEnv): boolean {
  const forced = env['FORCE_COLOR']
  if (forced !== undefined) return forced !== '0' && forced !== 'false'
  if (env['NO_COLOR']) return false
  return output.isTTY === true && env['TERM'] !== 'dumb'
}

export function createStyle(color: boolean): Style {
  // The escape codes are closed by name, so that styles nest.
  const paint =
    (format: Parameters<typeof styleText>[0]): Paint =>
    (text) =>
      // Whether this output gets colours is decided above, for this output and not for process.stdout.
      color ? styleText(format, text, { validateStream: false }) : text
  return {
    bold: paint('bold'),
    dim: paint('dim'),
    red: paint('red'),
    green: paint('green'),
    yellow: paint('yellow'),
    cyan: paint('cyan'),
  }
}

/** A line that came from a command or a task, safe to print: no secret, no cursor movement, of a progress bar only its last state. */
export function printable(line: string): string {
  const last = stripVTControlCharacters(redact(line).replace(/[\r\n]+$/, ''))
    .split('\r')
    .at(-1)
  return (last ?? '').replace(/\t/g, '  ').replace(/[\u0000-\u001f\u007f-\u009f]/g, '')
}
