import {
  Problem,
  type Ask,
  type Catalog,
  type Plan,
  type PlanNode,
  type Question,
  type UndoMode,
} from '@deployfile/core'
import { labelOf, onHosts } from '../render/node-label.ts'

/** Puts a question on the screen; undefined when the person gave up. */
export type Prompt = (question: Question) => Promise<string | undefined>

export interface Answers {
  readonly yes: boolean
  /** `confirm=NAME` */
  readonly confirm: string | undefined
  /** Undefined where nobody can be asked. */
  readonly prompt: Prompt | undefined
  readonly wording: Wording
}

/** How answers are given, in the words of where they are: what to add to a command line is not what to add to a program. */
export interface Wording {
  readonly nobody: string
  readonly yes: string
  readonly confirm: (name: string) => string
}

/** A stage that is about to be changed, and by what. */
export interface StageQuestion {
  readonly stage: string
  /** Whether something is destroyed: then `--yes` is not an answer. */
  readonly destroys: boolean
  /** What was done to it is taken back. */
  readonly undoes?: boolean
  readonly nodes: readonly PlanNode[]
}

/**
 * The protected stages that a plan changes, with the nodes that do, each by the node's own stage. Nodes with effect 'destroy' on a
 * stage that is not protected are not asked about here: a restore asks by itself, in `ctx.confirm`, for its database's name, and
 * since a protected stage's database is never a restore's target, nobody is asked twice.
 */
export function stageQuestions(plan: Pick<Plan, 'nodes'>, catalog: Catalog): readonly StageQuestion[] {
  const byStage = new Map<string, PlanNode[]>()
  for (const node of plan.nodes) {
    if (node.kind !== 'task' || node.milestone || node.effect === 'read' || node.skip !== undefined) continue
    if (catalog.stages.get(node.stage)?.stage.protected !== true) continue
    byStage.set(node.stage, [...(byStage.get(node.stage) ?? []), node])
  }
  return [...byStage].map(([stage, nodes]) => ({
    stage,
    nodes,
    destroys: nodes.some((node) => node.effect === 'destroy'),
  }))
}

/**
 * Asks for each protected stage's name, before anything is connected.
 * @throws Problem `NOT_CONFIRMED` (check)
 */
export async function confirmStages(questions: readonly StageQuestion[], answers: Answers): Promise<void> {
  for (const question of questions) {
    if (answers.yes && !question.destroys) continue
    const { stage } = question
    const what = question.undoes === true ? 'This is undone' : 'This changes it'
    const message = `${stage} is protected. ${what}:\n${changes(question.nodes).join('\n')}`
    const { yes, confirm } = answers.wording
    await answer({ message, answer: stage }, answers, question.destroys ? confirm(stage) : yes)
  }
}

/**
 * The answer to one question: `confirm=NAME`, else what a person types.
 * @throws Problem `NOT_CONFIRMED` (check) saying what to add
 */
export async function answer(
  question: Question,
  answers: Answers,
  add = question.mayBeYes === true ? answers.wording.yes : answers.wording.confirm(question.answer),
): Promise<void> {
  if (answers.confirm === question.answer) return
  if (answers.yes && question.mayBeYes === true) return
  // Without a prompt the question was never on the screen.
  const asked = `\n${question.message}`
  if (answers.confirm !== undefined && !answers.prompt) {
    const given = answers.wording.confirm(answers.confirm)
    throw refused(`${given} is not the answer${asked}`, `To go on, write ${add} instead.`)
  }
  if (!answers.prompt) {
    throw refused(`this needs an answer, and ${answers.wording.nobody}${asked}`, `To go on, add ${add}`)
  }
  const typed = await answers.prompt(question)
  if (typed === question.answer) return
  const said =
    typed === undefined ? 'the question was not answered' : `'${typed}' is not '${question.answer}'`
  throw refused(said, `To go on, type ${question.answer}, or add ${add}`)
}

/** Where nobody can be asked, what failed is undone, as without a choice. */
export function undoMode(undo: UndoMode | undefined, { prompt }: Answers): UndoMode {
  return undo === 'ask' && !prompt ? 'on' : (undo ?? 'on')
}

/** Two hosts may ask at the same time; one question is put after the other was answered. */
export function oneByOne(ask: Ask): Ask {
  const inTurn = takeTurns()
  return (question) => inTurn(() => ask(question))
}

/** For questions of several kinds that are put to one person. */
export function takeTurns(): <T>(ask: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (ask) => {
    const asked = last.then(ask)
    last = asked.catch(() => undefined)
    return asked
  }
}

function refused(said: string, hint: string): Problem {
  return new Problem('check', 'NOT_CONFIRMED', `not confirmed: ${said}`, { hint })
}

/** A line a task, with its hosts. */
function changes(nodes: readonly PlanNode[]): string[] {
  const hosts = new Map<string, string[]>()
  for (const node of nodes) {
    const known = hosts.get(labelOf(node)) ?? []
    hosts.set(labelOf(node), known)
    if (node.host !== undefined) known.push(node.host)
  }
  const destroys = new Set(nodes.filter((node) => node.effect === 'destroy').map((node) => labelOf(node)))
  return [...hosts].map(
    ([label, on]) => `  ${label}${onHosts(on)}${destroys.has(label) ? ' (destroys)' : ''}`,
  )
}
