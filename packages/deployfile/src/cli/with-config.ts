import { statSync } from 'node:fs'
import path from 'node:path'
import { loadCatalog, Problem, resolvePlan, type Catalog } from '@deployfile/core'
import { findConfig, namedConfig } from '../config/find.ts'
import { loadConfig } from '../config/load.ts'
import { projectCopy } from '../config/project-copy.ts'
import type { Place } from '../run/work.ts'
import { commandOf } from './commands.ts'
import { describeTask, taskFacts } from './describe.ts'
import type { CommandLine } from './command-line.ts'
import { printList } from './print-list.ts'
import { print, printDocument, type Terminal } from './terminal.ts'
import { readWords, type Request } from './words.ts'

/** What is known of a config by the time that something goes wrong. */
export interface Loaded {
  exactColumns: boolean
}

/** Everything that is not help: a command of ours, a list, a plan or a run. Returns the exit code. */
export async function withConfig(line: CommandLine, terminal: Terminal, loaded: Loaded): Promise<number> {
  const cwd = startFolder(terminal.cwd, line.cwd)
  const find = async (): Promise<string> =>
    line.config === undefined ? findConfig(cwd) : namedConfig(cwd, line.config)
  const open = async (): Promise<Place> => {
    const { config, file, exactColumns } = await loadConfig(await find())
    loaded.exactColumns = exactColumns
    return { catalog: loadCatalog(config), config: file, root: path.dirname(file) }
  }
  const command = line.list === undefined ? commandOf(line.words) : undefined
  if (command && !command.needsConfig) return (await command.load())({ line, terminal, cwd, find, open })

  const copy = terminal.runCopy && projectCopy(await find(), terminal.stderr)
  if (copy !== undefined) return terminal.runCopy?.(copy) ?? 1
  if (command) return (await command.load())({ line, terminal, cwd, find, open })

  const place = await open()
  const { catalog } = place
  if (line.resume !== false && line.list === undefined && !line.help) {
    const { resumeCommand } = await import('../command/resume.ts')
    return resumeCommand({ place, line, confirm: undefined, terminal })
  }
  const words = line.words.filter((word, index) => !(index === 0 && word === 'help'))
  const request = readWords(catalog, words, line.rest)
  if (line.list !== undefined) return printList(catalog, line, terminal)
  if (request.tasks.length === 0) return stageAlone(catalog, request, line, terminal)
  if (line.help || words.length < line.words.length) return helpOnTasks(catalog, request, line, terminal)
  return planAndRun(place, request, line, terminal)
}

async function planAndRun(
  place: Place,
  request: Request,
  line: CommandLine,
  terminal: Terminal,
): Promise<number> {
  const { catalog, root } = place
  const plan = resolvePlan(catalog, { ...request, ...line.filters })
  if (line.graph !== undefined) {
    const { graphText } = await import('../render/graph.ts')
    print(terminal, [graphText(plan, line.graph)])
    return 0
  }
  if (line.plan) {
    const { planLines } = await import('./plan.ts')
    return printDocument(terminal, line, plan, ({ style, columns }) => planLines(plan, style, columns))
  }
  if (line.dryRun) {
    const { startDryRun } = await import('./start-dry.ts')
    return startDryRun({ catalog, plan, line, root, terminal })
  }
  // Connections, screens and prompts are loaded only where something runs: a list stays quick.
  const { startRun } = await import('./start.ts')
  const { confirm } = request
  return startRun({ ...{ catalog, plan, line, confirm, root, terminal }, config: place.config ?? '' })
}

function helpOnTasks(
  catalog: Catalog,
  { tasks, stage }: Request,
  line: CommandLine,
  terminal: Terminal,
): number {
  const found = tasks.flatMap((name) => catalog.tasks.get(name) ?? [])
  const facts = found.map((task) => taskFacts(task, catalog))
  return printDocument(terminal, line, facts, ({ style, columns }) =>
    found.flatMap((task) => describeTask(task, { catalog, stage, style, columns, cwd: terminal.cwd })),
  )
}

function stageAlone(catalog: Catalog, request: Request, line: CommandLine, terminal: Terminal): number {
  printList(catalog, { ...line, list: 'tasks' }, terminal)
  const stage = request.stage ?? catalog.defaultStage ?? '<stage>'
  throw new Problem('usage', 'TASK_MISSING', `no task was named`, {
    hint: `Say what to run: deployfile ${stage} <task>`,
  })
}

function startFolder(cwd: string, named: string | undefined): string {
  if (named === undefined) return cwd
  const folder = path.resolve(cwd, named)
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return folder
  throw new Problem('usage', 'CWD_MISSING', `--cwd names ${folder}, which is not a folder`, {
    hint: 'Check the path.',
  })
}
