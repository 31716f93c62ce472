import type { Phase } from '../event/failure.ts'
import type { BodyEvent, Job, JobEnd, JobLink, NeedValue } from '../port/executor.ts'
import type { Question } from '../port/question.ts'
import type { Outcome } from '../task/context.ts'
import { milliseconds, type Duration } from '../task/duration.ts'
import { Problem } from '../problem/problem.ts'
import { redact } from '../secret/redact.ts'
import { entryCalls, tooLate, type EntryCalls } from './call-entry.ts'
import type { Bodies } from './call-walk.ts'
import { lendTerminal } from './lend-terminal.ts'
import { readNeeds } from './read-needs.ts'
import { watch, type Ended } from './watch.ts'
import type { NodeState } from './node-state.ts'
import type { RunState } from './run-state.ts'
import { emit, ofCalled, record } from './tell.ts'

/** Enters one phase of a node once, through the run's executor, within its bounds. Never rejects. Only with `bodies` it can call. */
export function enter(
  run: RunState,
  state: NodeState,
  phase: Phase,
  signal: AbortSignal,
  bodies?: Bodies,
): Ended | Promise<Ended> {
  const job = jobOf(run, state, phase)
  const timeout = timeoutOf(state, phase)
  const own = timeout === undefined ? undefined : new AbortController()
  const link = new Link(run, state, phase, own?.signal ?? signal, bodies)
  const end = run.executor.enter(job, link)
  if (!(end instanceof Promise) && !link.calls) {
    link.close()
    return end
  }
  const { clock, grace } = run
  const { id: node, host } = state.node
  const drain = (ended: JobEnd): Promise<JobEnd> | undefined => link.drain(ended)
  return watch({ node, host, timeout, grace, signal, clock, drain }, own, Promise.resolve(end)).then(
    (ended) => {
      link.close()
      // What did not stop in time has been given up by then, and so has what it called: that has the same time.
      return link.calls?.over()?.then(() => ended) ?? ended
    },
  )
}

// A class, because there is one for every entry into a body: its functions are made once.
class Link implements JobLink {
  readonly signal: AbortSignal
  readonly #run: RunState
  readonly #state: NodeState
  readonly #phase: Phase
  readonly #bodies: Bodies | undefined
  #open = true
  /** Undefined as long as it has called nothing. */
  calls: EntryCalls | undefined = undefined

  constructor(
    run: RunState,
    state: NodeState,
    phase: Phase,
    signal: AbortSignal,
    bodies: Bodies | undefined,
  ) {
    this.#bodies = bodies
    this.#run = run
    this.#state = state
    this.#phase = phase
    this.signal = signal
  }

  emit(event: BodyEvent): void {
    if (!this.#open) return
    const { node } = this.#state
    emit(this.#run, ofCalled(this.#state, { ...event, node: node.id, phase: this.#phase }))
    // A command may be the work itself. Its start cannot wait for a journal that takes its time.
    if (event.type === 'node.command' && event.event.type === 'command.started') void record(this.#run)
  }

  ask(question: Question): Promise<void> {
    const { ask, dryRun } = this.#run.options
    if (!isWhole(question)) return Promise.reject(notWhole(this.#state.node.task))
    if (dryRun !== true) return ask(question)
    this.emit({ type: 'node.log', message: redact(`would ask for ${question.answer}: ${question.message}`) })
    return Promise.resolve()
  }

  call(task: string, input: unknown): Promise<NeedValue> {
    if (!this.#bodies) return Promise.reject(notNow(this.#state.node.task, task, this.#phase))
    if (!this.#open) return Promise.reject(tooLate(this.#state, task))
    this.calls ??= entryCalls(this.#run, this.#state, this.signal, this.#bodies)
    return this.calls.make(task, input)
  }

  lendTerminal<T>(use: () => Promise<T>): Promise<T> {
    return lendTerminal(this.#run, this.#state, this.#phase, use)
  }

  /** The end of a body once all that it called is over; undefined where there is nothing to wait for. */
  drain(ended: JobEnd): Promise<JobEnd> | undefined {
    const { calls } = this
    return calls?.end(ended.kind === 'threw')?.then(
      () => ended,
      (thrown: unknown): JobEnd => ({ kind: 'threw', thrown }),
    )
  }

  /** From its end on a body says nothing any more: the events of a phase lie between its start and its end. */
  close(): void {
    this.#open = false
  }
}

function notNow(task: string, called: string, phase: Phase): Problem {
  return new Problem('task', 'CALL_REFUSED', `'${task}' calls '${called}' in its ${phase}`, {
    hint: `Only run can call. What '${called}' does can also stand in a function that both use.`,
  })
}

function jobOf(run: RunState, state: NodeState, phase: Phase): Job {
  const job: Job = {
    run: run.jobRun,
    node: state.node,
    phase,
    needs: readNeeds(run, state.node),
    failures: run.failures.length + run.before.length === 0 ? NONE : [...run.before, ...run.failures],
  }
  return phase === 'undo' ? { ...job, result: state.result, outcome: outcomeOf(state) } : job
}

const NONE: readonly never[] = []

function outcomeOf({ status }: NodeState): Outcome {
  if (status === 'done' || status === 'skipped') return 'done'
  return status === 'cancelled' ? 'cancelled' : 'failed'
}

// What hangs while taking back must not hang the run; of a task that says nothing of its own time, an hour is taken for hung.
const AFTER_STOP: Duration = '1h'

/** Milliseconds that a body may take: its timeout, and where nobody waits for more than the end of the run, an hour at most. */
function timeoutOf({ spec, afterStop }: NodeState, phase: Phase): number | undefined {
  return milliseconds(spec.timeout ?? (phase !== 'run' || afterStop ? AFTER_STOP : undefined))
}

/** A config is not always compiled by its author: `confirm('Sure?')` has no answer, and nothing typed is nothing, too. */
function isWhole(question: unknown): boolean {
  const { message, answer } = (question ?? {}) as Partial<Question>
  return typeof message === 'string' && typeof answer === 'string' && answer !== ''
}

function notWhole(task: string): Problem {
  return new Problem('task', 'QUESTION_INVALID', `'${task}' asks without saying what is to be typed`, {
    hint: "Write confirm({ message: 'what will happen', answer: 'the name to type' }).",
  })
}
