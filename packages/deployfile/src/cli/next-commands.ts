import type { Plan, RunOutcome } from '@deployfile/core'
import type { CommandLine } from './command-line.ts'

type Where = Pick<CommandLine, 'config' | 'cwd'>

/** How to go on with a run whose process is gone, and how to undo it. */
export function commandsFor(id: string, where: Where): readonly string[] {
  return [`To go on: ${resumeCommand(id, where)}`, `To undo it: ${undoCommand(id, where)}`]
}

/** What can be done about a run that did not end well: none where everything was undone. */
export function nextCommands(id: string, plan: Plan, outcome: RunOutcome, where: Where): readonly string[] {
  if (outcome.left) {
    const commands = commandsFor(id, where)
    // To resume means to start anew where nothing was done.
    return isWorthResuming(plan, outcome) ? commands : commands.slice(1)
  }
  const stuck = [...outcome.nodes.values()].some(({ undone }) => undone === false)
  return stuck ? [`To try again: ${undoCommand(id, where)}`] : []
}

function isWorthResuming(plan: Plan, { nodes }: RunOutcome): boolean {
  return plan.nodes.some(
    ({ id, kind, milestone }) => kind === 'task' && !milestone && nodes.get(id)?.status === 'done',
  )
}

function resumeCommand(id: string, where: Where): string {
  return `deployfile --resume=${id}${options(where)}`
}

function undoCommand(id: string, where: Where): string {
  return `deployfile runs undo ${id}${options(where)}`
}

function options({ config, cwd }: Where): string {
  return `${config === undefined ? '' : ` --config ${quote(config)}`}${cwd === undefined ? '' : ` --cwd ${quote(cwd)}`}`
}

function quote(text: string): string {
  return /^[\w./@%+:-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
