import type { Phase } from '../event/event.ts'
import type { BodyEvent, Job, JobLink, NeedValue } from '../port/executor.ts'
import type { Question } from '../port/question.ts'
import type { Outcome } from '../task/context.ts'
import { milliseconds, type Duration } from '../task/duration.ts'
import { watch, type Ended } from './watch.ts'
import type { NodeState, RunState } from './run-state.ts'
import { emit, record } from './tell.ts'

/** Enters one phase of a node once, through the run's executor, within its bounds. Never rejects. */
export function enter(
  run: RunState,
  state: NodeState,
  phase: Phase,
  signal: AbortSignal,
): Ended | Promise<Ended> {
  const job = jobOf(run, state, phase)
  const timeout = timeoutOf(state, phase)
  const own = timeout === undefined ? undefined : new AbortController()
  const link = new Link(run, state.node.id, phase, own?.signal ?? signal)
  const end = run.executor.enter(job, link)
  if (!(end instanceof Promise)) {
    link.close()
    return end
  }
  const { clock, grace } = run
  const { id: node, host } = state.node
  return watch({ node, host, timeout, grace, signal, clock }, own, end).then((ended) => {
    link.close()
    return ended
  })
}

// A class, because there is one for every entry into a body: its functions are made once.
class Link implements JobLink {
  readonly signal: AbortSignal
  readonly #run: RunState
  readonly #node: string
  readonly #phase: Phase
  #open = true

  constructor(run: RunState, node: string, phase: Phase, signal: AbortSignal) {
    this.#run = run
    this.#node = node
    this.#phase = phase
    this.signal = signal
  }

  emit(event: BodyEvent): void {
    if (!this.#open) return
    emit(this.#run, { ...event, node: this.#node, phase: this.#phase })
    // A command may be the work itself. Its start cannot wait for a journal that takes its time.
    if (event.type === 'node.command' && event.event.type === 'command.started') void record(this.#run)
  }

  ask(question: Question): Promise<void> {
    return this.#run.options.ask(question)
  }

  /** From its end on a body says nothing any more: the events of a phase lie between its start and its end. */
  close(): void {
    this.#open = false
  }
}

function jobOf(run: RunState, state: NodeState, phase: Phase): Job {
  const job: Job = {
    run: run.options.run,
    node: state.node,
    phase,
    needs: readNeeds(run, state),
    failures: run.failures.length + run.before.length === 0 ? NONE : [...run.before, ...run.failures],
  }
  return phase === 'undo' ? { ...job, result: state.result, outcome: outcomeOf(state) } : job
}

const NONE: readonly never[] = []
const NO_NEEDS: Job['needs'] = {}

function readNeeds(run: RunState, { node }: NodeState): Job['needs'] {
  let values: Record<string, NeedValue> | undefined
  for (const key in node.needs) {
    const binding = node.needs[key]
    values ??= {}
    if (binding === undefined || binding.kind === 'none') values[key] = { kind: 'one', value: undefined }
    else if (binding.kind === 'one') values[key] = { kind: 'one', value: run.byId.get(binding.node)?.result }
    else values[key] = eachOf(run, binding.of)
  }
  return values ?? NO_NEEDS
}

/** Made once for all dependents: with a thousand hosts there may be a thousand of them. */
function eachOf(run: RunState, of: string): NeedValue {
  const known = run.gathered.get(of)
  if (known) return known
  const values = (run.plan.perHost?.[of] ?? []).map(({ host, node: id }) => {
    const state = run.byId.get(id)
    return { stage: state?.node.stage ?? run.plan.stage, host, value: state?.result }
  })
  const made: NeedValue = { kind: 'each', values }
  run.gathered.set(of, made)
  return made
}

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
