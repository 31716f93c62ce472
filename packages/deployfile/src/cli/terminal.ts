import type { AskHidden } from '@deployfile/core'
import { createStyle, wantsColor, type Output, type Style } from '../render/style.ts'
import type { Prompt } from '../run/confirm.ts'
import type { SignalSource } from './signals.ts'

/** Everything of the process that a command touches, so that a test can stand in for it. */
export interface Terminal {
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  readonly stdout: Output
  readonly stderr: Output
  readonly signals: SignalSource
  /** Undefined where nobody can be asked. */
  readonly prompt: Prompt | undefined
  /** For `init`: a line of text with what is found as its default; undefined after Escape. Absent where nobody can be asked. */
  readonly askText?: AskText | undefined
  /** For passphrases and passwords; undefined where nobody can be asked. */
  readonly promptHidden?: AskHidden | undefined
  /** True where what a task starts can have the terminal: somebody sits at it. */
  readonly lends?: boolean
  /** Runs another copy of the program in place of this one. Undefined where this one must do. */
  readonly runCopy?: ((bin: string) => Promise<number>) | undefined
  /** Ends the process at once, with a last message that a redirected or hijacked stream cannot swallow. */
  leave(code: number, message: string): void
}

/** Asks again as long as `faultOf` finds something wrong with what was typed. */
export type AskText = (
  message: string,
  preset: string | undefined,
  faultOf: (typed: string) => string | undefined,
) => Promise<string | undefined>

/** CI services set CI; some people set it to false to mean no. */
export function isCi(env: NodeJS.ProcessEnv): boolean {
  const { CI: value } = env
  return value !== undefined && value !== '' && value !== '0' && value !== 'false'
}

/** How a document is to look. */
export interface View {
  readonly style: Style
  /** The width of the screen; undefined where lines need not be cut. */
  readonly columns: number | undefined
}

export function print({ stdout }: Pick<Terminal, 'stdout'>, lines: readonly string[]): void {
  stdout.write(`${lines.join('\n')}\n`)
}

export function viewOf({ stdout, env }: Pick<Terminal, 'stdout' | 'env'>): View {
  const columns = stdout.isTTY === true ? stdout.columns : undefined
  return { style: createStyle(wantsColor(stdout, env)), columns }
}

/** The same facts for programs (`--json`) or for people. Returns the exit code. */
export function printDocument(
  terminal: Terminal,
  { json }: { readonly json: boolean },
  facts: unknown,
  lines: (view: View) => readonly string[],
): number {
  print(terminal, json ? [JSON.stringify(facts, null, 2)] : lines(viewOf(terminal)))
  return 0
}
