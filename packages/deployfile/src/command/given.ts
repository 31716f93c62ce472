import type { CommandLine } from '../cli/command-line.ts'
import type { Terminal } from '../cli/terminal.ts'
import type { Place } from '../run/work.ts'

/** What a command of ours is given. */
export interface Given {
  readonly line: CommandLine
  readonly terminal: Terminal
  /** Where it was started, by `--cwd` too. */
  readonly cwd: string
  /** The config's path. */
  readonly find: () => Promise<string>
  /** The config itself. */
  readonly open: () => Promise<Place>
}

/** Does it, and gives the exit code. */
export type CommandFunction = (given: Given) => Promise<number>

/** The words of a command without its own name: the stage before it, and what stands after it. */
export function wordsOf(
  name: string,
  words: readonly string[],
): { readonly before: string | undefined; readonly after: readonly string[] } {
  const at = words.indexOf(name)
  return { before: at === 1 ? words[0] : undefined, after: words.slice(at + 1) }
}
