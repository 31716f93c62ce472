import { isProblem, toRecord } from '@deployfile/core'
import { problemBlock } from '../render/problem.ts'
import { createStyle, wantsColor } from '../render/style.ts'
import { ownVersion } from '../version.ts'
import { readCommandLine } from './grammar.ts'
import { helpText } from './options.ts'
import type { Terminal } from './terminal.ts'
import type { Loaded } from './with-config.ts'

const KINDS = { usage: 2, check: 3, task: 1 } as const

/** One command, from its arguments to its exit code. Nothing is thrown: what goes wrong is printed to stderr. */
export async function main(argv: readonly string[], terminal: Terminal): Promise<number> {
  // The message about a broken command line must know it, too.
  const verbose = argv.some((word) => word === '-v' || word === '--verbose')
  const loaded: Loaded = { exactColumns: true }
  try {
    return await run(argv, terminal, loaded)
  } catch (thrown) {
    const style = createStyle(wantsColor(terminal.stderr, terminal.env))
    const problem = { ...toRecord(thrown), ...stackOfCause(thrown) }
    // Anything that is not a Problem is our own mistake, and says so.
    const shown = isProblem(thrown)
      ? problem
      : { ...problem, message: `internal error: ${problem.message}`, hint: BUG }
    const view = { style, cwd: terminal.cwd, verbose, exactColumns: loaded.exactColumns }
    terminal.stderr.write(`${problemBlock(shown, view).join('\n')}\n`)
    return isProblem(thrown) ? KINDS[problem.kind] : 1
  }
}

/** The stack that helps is that of what really happened. */
function stackOfCause(thrown: unknown): { stack?: string } {
  const cause = thrown instanceof Error ? thrown.cause : undefined
  return cause instanceof Error && cause.stack !== undefined ? { stack: cause.stack } : {}
}

const BUG = 'This is a mistake in deployfile. Run again with --verbose and report the stack.'

async function run(argv: readonly string[], terminal: Terminal, loaded: Loaded): Promise<number> {
  const version = ownVersion()
  const line = readCommandLine(argv, version)
  if ('text' in line) {
    terminal.stdout.write(line.text)
    return 0
  }
  const [first] = line.words
  const alone = line.words.length === (first === 'help' ? 1 : 0) && line.list === undefined
  if (alone && (line.help || first === 'help')) {
    terminal.stdout.write(helpText(version))
    return 0
  }
  if (alone && line.resume === false) {
    terminal.stderr.write(helpText(version))
    return 2
  }
  // Help needs no config; all that reads one is loaded where there is more to do.
  const { withConfig } = await import('./with-config.ts')
  return withConfig(line, terminal, loaded)
}
