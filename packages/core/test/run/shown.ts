import type { Plan, RunEvent } from '@deployfile/core'
import type { Transition } from './drawn.ts'

/** Where something must not stay. */
const ON_THE_WAY = ['waiting', 'running', 'stopping', 'undoing', 'onFailure', 'finally']

/** Where undo and finally leave what is not entered again. */
const HAD_ITS_TURN = ['undone', 'finished', 'unfinished']

type Of<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>

/**
 * The transitions that the events of one run show, of its nodes and of itself; throws when something is left on its way.
 */
export function shown(
  plan: Plan,
  events: readonly RunEvent[],
): { readonly node: readonly Transition[]; readonly run: readonly Transition[] } {
  const node: Transition[] = []
  const run: Transition[] = []
  const after = new Set(plan.onFailure?.nodes.map(({ id }) => id))
  const planned = new Set(plan.nodes.map(({ id }) => id))
  const states = new Map(plan.nodes.map(({ id }) => [id, 'waiting']))
  let runIs = 'running'
  const runBecomes = (next: string): void => {
    if (next !== runIs) run.push(`${runIs} → ${next}`)
    runIs = next
  }
  // Of nodes that were called: the plan does not have them.
  let unknown = 'waiting'
  const begin = ({ mode, kept }: Of<'run.resumed'>): void => {
    // What another process takes up begins anew, but for what it keeps.
    runIs = mode === 'undo' ? 'left' : 'running'
    unknown = mode === 'undo' ? 'left' : 'waiting'
    for (const [id, state] of states) {
      if (after.has(id) ? !ON_THE_WAY.includes(state) : HAD_ITS_TURN.includes(state)) continue
      // What was called may be called again or not.
      if (planned.has(id)) states.set(id, unknown)
      else states.delete(id)
    }
    if (mode === 'resume') for (const id of kept) if (states.get(id) === 'waiting') move(id, 'kept')
  }
  const move = (id: string, next: string): void => {
    const from = states.get(id) ?? (after.has(id) ? 'waiting' : unknown)
    node.push(`${from} → ${next}`)
    states.set(id, next)
  }
  for (const event of events) {
    if (event.type === 'run.stopping') runBecomes('stopping')
    else if (event.type === 'run.resumed') begin(event)
    else if (event.type === 'run.ended') runBecomes(event.status)
    else if ('node' in event) {
      const step = stepOf(event, after.has(event.node))
      if (step !== undefined) runBecomes(step)
      const next = nodeAfter(event, states.get(event.node) ?? unknown)
      if (next !== undefined) move(event.node, next)
    }
  }
  const left = [...states, ['the run', runIs]].filter(([, state = '']) => ON_THE_WAY.includes(state))
  if (left.length > 0) throw new Error(`left on the way: ${left.map((one) => one.join(' ')).join(', ')}`)
  return { node, run }
}

/** The step of a run that an event belongs to; undefined for the bodies of the plan, which may end while it runs or stops. */
function stepOf(event: Extract<RunEvent, { node: string }>, isAfter: boolean): string | undefined {
  if (event.phase === 'finally') return 'finally'
  if (event.phase === 'undo') return 'undoing'
  return isAfter ? 'onFailure' : undefined
}

function nodeAfter(event: RunEvent, from: string): string | undefined {
  if (event.type === 'node.retrying') return 'running'
  if (event.type === 'node.started')
    return { run: 'running', undo: 'undoing', finally: 'finally' }[event.phase]
  return event.type === 'node.ended' ? endOf(event, from) : undefined
}

function endOf({ phase, status, problem }: Of<'node.ended'>, from: string): string {
  if (phase === 'undo') return status === 'done' ? 'undone' : 'notUndone'
  if (phase === 'finally') return status === 'done' ? 'finished' : 'unfinished'
  if (problem?.code === 'TASK_ABANDONED') return 'abandoned'
  return status === 'skipped' && from === 'waiting' ? 'passedOver' : status
}
