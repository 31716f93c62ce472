import type { Catalog, Plan } from '@deployfile/core'
import { confirmStages, stageQuestions, type Answers, type Wording } from '../run/confirm.ts'
import { pruneRuns } from '../command/prune-runs.ts'
import { unfinishedRun } from '../run/past-runs.ts'
import { thisProcess } from '../run/process.ts'
import { newWork } from '../run/work.ts'
import type { CommandLine } from './command-line.ts'
import { commandsFor } from './next-commands.ts'
import { showRun } from './show-run.ts'
import type { Terminal } from './terminal.ts'

export interface Start {
  readonly catalog: Catalog
  readonly plan: Plan
  readonly line: CommandLine
  readonly confirm: string | undefined
  /** Of the config. */
  readonly config: string
  /** The folder of deploy.config.ts. */
  readonly root: string
  readonly terminal: Terminal
}

const WORDING: Wording = {
  nobody: 'there is no terminal to ask on',
  yes: '--yes',
  confirm: (name) => `confirm=${name}`,
}

/** How questions are answered on a command line. */
export function answersOf(line: CommandLine, confirm: string | undefined, { prompt }: Terminal): Answers {
  return { yes: line.yes, confirm, prompt, wording: WORDING }
}

/**
 * Runs a plan: questions first, then everything else. Returns the exit code.
 * @throws Problem (check) when it is not confirmed, or its log cannot be written
 */
export async function startRun({
  catalog,
  plan,
  line,
  confirm,
  config,
  root,
  terminal,
}: Start): Promise<number> {
  const answers = answersOf(line, confirm, terminal)
  if (writes(plan)) tellOfUnfinished(root, line, terminal)
  await confirmStages(stageQuestions(plan, catalog), answers)
  pruneRuns(root)
  const work = await newWork(plan, { catalog, config, root }, terminal.env)
  return showRun({ work, line, answers, terminal })
}

/** A run that was killed has left something half done: whoever starts the next one that changes something should know. */
function tellOfUnfinished(root: string, line: CommandLine, { stderr }: Terminal): void {
  const id = unfinishedRun(root, thisProcess())
  if (id === undefined) return
  const commands = commandsFor(id, line).map((text) => `\n  ${text}`)
  stderr.write(`deployfile: the last run, ${id}, never ended: its process is gone.${commands.join('')}\n`)
}

function writes({ nodes }: Plan): boolean {
  return nodes.some(
    ({ kind, milestone, effect, skip }) =>
      kind === 'task' && !milestone && effect !== 'read' && skip === undefined,
  )
}
