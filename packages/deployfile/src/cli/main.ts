import { readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { isProblem, loadCatalog, Problem, resolvePlan, toRecord, type Catalog } from '@deployfile/core'
import { findConfig, namedConfig } from '../config/find.ts'
import { loadConfig } from '../config/load.ts'
import { problemBlock } from '../render/problem.ts'
import { createStyle, wantsColor } from '../render/style.ts'
import { helpText, readCommandLine, type CommandLine } from './grammar.ts'
import { listJson, listLines } from './list.ts'
import { planLines } from './plan.ts'
import type { Terminal } from './terminal.ts'
import { readWords, type Request } from './words.ts'

const KINDS = { usage: 2, check: 3, task: 1 } as const

/** One command, from its arguments to its exit code. Nothing is thrown: what goes wrong is printed to stderr. */
export async function main(argv: readonly string[], terminal: Terminal): Promise<number> {
  // The message about a broken command line must know it, too.
  const verbose = argv.some((word) => word === '-v' || word === '--verbose')
  const loaded = { exactColumns: true }
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

async function run(
  argv: readonly string[],
  terminal: Terminal,
  loaded: { exactColumns: boolean },
): Promise<number> {
  const version = ownVersion()
  const line = readCommandLine(argv, version)
  if ('text' in line) {
    terminal.stdout.write(line.text)
    return 0
  }
  const resumes = line.resume !== false && line.list === false
  if (line.words.length === 0 && line.list === false && !resumes) {
    terminal.stderr.write(helpText(version))
    return 2
  }
  const cwd = startFolder(terminal.cwd, line.cwd)
  const file = line.config === undefined ? await findConfig(cwd) : namedConfig(cwd, line.config)
  const runs =
    line.words[0] === 'runs' && line.list === false ? await import('../command/runs.ts') : undefined
  if (runs?.runsCommand(line.words) === 'list') {
    const { listRuns, runLines } = await import('../command/list-runs.ts')
    const found = listRuns(path.dirname(file))
    print(terminal, line.json ? [JSON.stringify(found, null, 2)] : runLines(found))
    return 0
  }
  const config = await loadConfig(file)
  loaded.exactColumns = config.exactColumns
  const catalog = loadCatalog(config.config)
  if (runs || resumes) {
    const place = { catalog, config: config.file, root: path.dirname(config.file) }
    const command = { place, line, confirm: undefined, terminal }
    if (runs) return runs.undoCommand(command)
    const { resumeCommand } = await import('../command/resume.ts')
    return resumeCommand(command)
  }
  const request = readWords(catalog, line.words)
  if (line.list !== false) return printList(catalog, line, terminal)
  if (request.tasks.length === 0) return stageAlone(catalog, request, line, terminal)
  const plan = resolvePlan(catalog, { ...request, ...line.filters })
  if (line.plan) {
    const style = createStyle(wantsColor(terminal.stdout, terminal.env))
    print(terminal, line.json ? [JSON.stringify(plan, null, 2)] : planLines(plan, style))
    return 0
  }
  if (line.dryRun) {
    const { startDryRun } = await import('./start-dry.ts')
    return startDryRun({ catalog, plan, line, root: path.dirname(config.file), terminal })
  }
  // Connections, screens and prompts are loaded only where something runs: a list stays quick.
  const { startRun } = await import('./start.ts')
  return startRun({
    catalog,
    plan,
    line,
    confirm: request.confirm,
    config: config.file,
    root: path.dirname(config.file),
    terminal,
  })
}

function printList(catalog: Catalog, line: CommandLine, terminal: Terminal): number {
  const { stdout, env, cwd } = terminal
  const pattern = typeof line.list === 'string' ? line.list : undefined
  const options = { pattern, all: line.all, where: line.where }
  if (line.json) {
    print(terminal, [JSON.stringify(listJson(catalog, options), null, 2)])
    return 0
  }
  const columns = stdout.isTTY === true ? stdout.columns : undefined
  print(
    terminal,
    listLines(catalog, { ...options, columns, cwd, style: createStyle(wantsColor(stdout, env)) }),
  )
  return 0
}

function stageAlone(catalog: Catalog, request: Request, line: CommandLine, terminal: Terminal): number {
  printList(catalog, line, terminal)
  const stage = request.stage ?? catalog.defaultStage ?? '<stage>'
  throw new Problem('usage', 'TASK_MISSING', `no task was named`, {
    hint: `Say what to run: deployfile ${stage} <task>`,
  })
}

function print(terminal: Terminal, lines: readonly string[]): void {
  terminal.stdout.write(`${lines.join('\n')}\n`)
}

function startFolder(cwd: string, named: string | undefined): string {
  if (named === undefined) return cwd
  const folder = path.resolve(cwd, named)
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return folder
  throw new Problem('usage', 'CWD_MISSING', `--cwd names ${folder}, which is not a folder`, {
    hint: 'Check the path.',
  })
}

function ownVersion(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}
