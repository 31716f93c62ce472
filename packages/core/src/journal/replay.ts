import type { RunEvent, RunStatus, UndoMode } from '../event/event.ts'
import type { Failure } from '../event/failure.ts'
import type { RunProcess } from '../event/run-process.ts'
import type { Plan } from '../plan/plan.ts'
import { Problem } from '../problem/problem.ts'
import { reviveSecrets } from '../secret/revive.ts'
import type { RecordedNode, RecordedRun } from './recorded-run.ts'

type Started = Extract<RunEvent, { type: 'run.started' }>
type NodeEvent = Extract<RunEvent, { node: string }>
type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** What is known after some events. */
interface Replay {
  readonly started: Started
  readonly onFailure: ReadonlySet<string>
  readonly nodes: Map<string, Writable<RecordedNode>>
  readonly calls: RecordedRun['calls'][number][]
  readonly startedCalls: Set<string>
  readonly reused: Map<string, string>
  failures: Failure[]
  status: RunStatus | 'unfinished'
  undo: UndoMode
  process: RunProcess | undefined
  takingBack: boolean
  left: boolean
  seq: number
  lastAt: number
}

/**
 * What became of a run, from its events in order, wherever they are kept. Secrets in inputs and results are looked up anew by their
 * names.
 * @throws Problem `JOURNAL_BROKEN` (check) when these are not the events of one run from its first on; `SECRET_UNKNOWN` (check);
 * `RUN_EMPTY` (usage)
 */
export async function replay(events: Iterable<RunEvent> | AsyncIterable<RunEvent>): Promise<RecordedRun> {
  let state: Replay | undefined
  for await (const event of events) {
    if (event.seq !== (state?.seq ?? 0) + 1)
      throw broken(`event ${String((state?.seq ?? 0) + 1)} is followed by event ${String(event.seq)}`)
    if (state) apply(state, event)
    else state = begin(event)
  }
  if (!state) {
    throw new Problem('usage', 'RUN_EMPTY', 'the run was killed before it began: nothing of it was done', {
      hint: 'There is nothing to resume or undo. Start a new run.',
    })
  }
  return recorded(state)
}

function begin(event: RunEvent): Replay {
  if (event.type !== 'run.started') throw broken('its first event does not start a run')
  // Written by another version, before or after this one.
  if ((event.format as number | undefined) !== 1)
    throw broken('it was written by another version of deployfile')
  if (event.dryRun === true) throw broken('it was a dry run, which changes nothing')
  return {
    started: event,
    onFailure: new Set(event.plan.onFailure?.nodes.map(({ id }) => id)),
    nodes: new Map(),
    calls: [],
    startedCalls: new Set(),
    reused: new Map(),
    failures: [],
    status: 'unfinished',
    undo: event.undo,
    process: event.process,
    takingBack: false,
    left: false,
    seq: event.seq,
    lastAt: event.at,
  }
}

function apply(state: Replay, event: RunEvent): void {
  state.seq = event.seq
  state.lastAt = event.at
  switch (event.type) {
    case 'run.started':
      throw broken(`event ${String(event.seq)} starts another run`)
    case 'run.resumed':
      state.status = 'unfinished'
      state.undo = event.undo
      state.process = event.process
      state.left = false
      if (event.mode === 'undo') state.takingBack = true
      // What went wrong before is tried again; for what is taken back it stays the reason.
      else state.failures = []
      return
    case 'run.stopping':
      return
    case 'run.left':
      state.left = true
      return
    case 'run.ended':
      state.status = event.status
      return
    default:
      applyToNode(state, event)
  }
}

function applyToNode(state: Replay, event: NodeEvent): void {
  const known = state.nodes.get(event.node)
  const node = known ?? { ...UNTOUCHED }
  if (!known) state.nodes.set(event.node, node)
  if (event.phase === 'undo' || (state.onFailure.has(event.node) && !state.left)) state.takingBack = true
  if (event.type === 'node.calling') state.calls.push({ caller: event.node, plan: event.plan })
  if (event.type === 'node.reused') state.reused.set(event.node, event.of)
  if (event.type === 'node.started') start(node, event)
  if (event.type === 'node.started' && event.phase === 'run' && event.parent !== undefined)
    state.startedCalls.add(event.node)
  if (event.type !== 'node.ended') return
  end(node, event)
  // A node that only warns has a problem, too, but fails nothing.
  if (!event.problem || event.status === 'warned' || !(event.status === 'failed' || node.abandoned)) return
  const { phase, problem } = event
  // What failed in a call is told by its caller, who may have caught it.
  if (event.parent !== undefined && phase === 'run') return
  if (problem.called) state.failures.push(...problem.called.map((one) => ({ ...one, phase })))
  else state.failures.push({ node: event.node, phase, problem })
}

const UNTOUCHED: RecordedNode = {
  status: undefined,
  result: undefined,
  entered: false,
  abandoned: false,
  undo: 'not',
  finally: 'not',
}

function start(node: Writable<RecordedNode>, { phase }: Extract<RunEvent, { type: 'node.started' }>): void {
  if (phase === 'run') Object.assign(node, UNTOUCHED, { entered: true })
  else node[phase] = 'begun'
}

function end(node: Writable<RecordedNode>, event: Extract<RunEvent, { type: 'node.ended' }>): void {
  const { phase, status, problem, result } = event
  if (phase === 'finally') node.finally = 'done'
  else if (phase === 'undo') node.undo = status === 'done' ? 'done' : 'failed'
  else {
    node.status = status
    node.result = result
    node.abandoned = problem?.code === 'TASK_ABANDONED'
    // A stop came between its announcement and its body.
    if (status === 'blocked') node.entered = false
  }
}

function recorded(state: Replay): RecordedRun {
  const { started, nodes, onFailure: _, ...rest } = state
  for (const node of nodes.values()) node.result = reviveSecrets(node.result)
  const { id, startedAt, user, root } = started.run
  return {
    ...rest,
    run: { id, startedAt: new Date(startedAt), user, root },
    plan: reviveSecrets(started.plan) as Plan,
    sources: started.sources,
    nodes,
    calls: state.calls.map((call) => reviveSecrets(call) as typeof call),
  }
}

function broken(what: string): Problem {
  return new Problem('check', 'JOURNAL_BROKEN', `the log of the run cannot be read: ${what}`, {
    hint: 'It can neither be resumed nor undone. What it did stays as it is; start a new run.',
  })
}
