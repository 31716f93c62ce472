import type { Plan, RunEvent } from '@deployfile/core'
import type { Transition } from './drawn.ts'

/** Where something must not stay. */
const ON_THE_WAY = ['waiting', 'running', 'stopping', 'undoing', 'onFailure', 'finally']

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
  const states = new Map(plan.nodes.map(({ id }) => [id, 'waiting']))
  let runIs = 'running'
  const runBecomes = (next: string): void => {
    if (next !== runIs) run.push(`${runIs} → ${next}`)
    runIs = next
  }
  for (const event of events) {
    if (event.type === 'run.stopping') runBecomes('stopping')
    else if (event.type === 'run.ended') runBecomes(event.status)
    else if ('node' in event) {
      const step = stepOf(event, after.has(event.node))
      if (step !== undefined) runBecomes(step)
      const from = states.get(event.node) ?? 'waiting'
      const next = nodeAfter(event, from)
      if (next === undefined) continue
      node.push(`${from} → ${next}`)
      states.set(event.node, next)
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
