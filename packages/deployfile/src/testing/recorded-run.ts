import {
  execute,
  type Catalog,
  type Clock,
  type Phase,
  type Plan,
  type Question,
  type RunEvent,
  type RunOutcome,
} from '@deployfile/core'
import { createRecorder, type Answers, type Recorded } from '@deployfile/shell'
import { answer, oneByOne } from '../run/confirm.ts'
import type { Limits } from '../run/limits.ts'
import { programAnswers, type Confirm } from '../run/program-answers.ts'

/** What stands in for the world. */
export interface World {
  /**
   * What commands give: `['cat REVISION', 'abc']`, `[/^git /, 128]` (an exit code), or `{ stdout, stderr, exitCode }`; the first match
   * counts. What changes things succeeds unless something else is said; what only reads fails without an answer.
   */
  readonly answers?: Answers
  /** What is typed when a task asks. Default: nobody answers, and asking fails. */
  readonly confirm?: Confirm
  /** For tasks with a timeout or retries; see `manualClock`. Default: the system's. */
  readonly clock?: Clock
  readonly signal?: AbortSignal
}

/** One call of a shell, with who made it. */
export interface TestCommand extends Recorded {
  readonly node: string
  readonly phase: Phase
}

/** A task that a body called, with its checked input. */
export interface TestCall {
  /** The node that called. */
  readonly node: string
  readonly task: string
  readonly input: unknown
}

/** Every call of a run, in order. */
export function callsOf(events: readonly RunEvent[]): readonly TestCall[] {
  return events.flatMap((event) => {
    if (event.type !== 'node.calling') return []
    const { node, task, plan } = event
    return [{ node, task, input: plan.nodes.find((one) => one.task === task)?.input ?? {} }]
  })
}

export interface RecordedRun {
  readonly outcome: RunOutcome
  readonly events: readonly RunEvent[]
  /** In the order of the calls. */
  readonly commands: readonly TestCommand[]
  readonly questions: readonly Question[]
}

/** The real executor over shells that run nothing. Touches neither disk nor network. */
export async function recordedRun(
  catalog: Catalog,
  plan: Plan,
  world: World,
  limits: Limits = {},
): Promise<RecordedRun> {
  const { answers = [], clock, confirm, signal = new AbortController().signal } = world
  const recorder = createRecorder({ answers })
  const given = programAnswers(confirm)
  const events: RunEvent[] = []
  const commands: TestCommand[] = []
  const questions: Question[] = []
  const outcome = await execute(plan, {
    ...limits,
    catalog,
    shells: recorder,
    run: { id: 'test', startedAt: new Date(clock?.now() ?? Date.now()), user: 'tester', root: '/project' },
    ask: oneByOne(async (question) => {
      questions.push(question)
      await answer(question, given)
    }),
    signal,
    ...(clock && { clock }),
    onEvent(event) {
      events.push(event)
      if (event.type !== 'node.command' || event.event.type !== 'command.started') return
      // The recorder notes a call and tells of it in one go, so the last one is meant.
      const last = recorder.commands.at(-1)
      if (last) commands.push({ ...last, node: event.node, phase: event.phase })
    },
  })
  return { outcome, events, commands, questions }
}
