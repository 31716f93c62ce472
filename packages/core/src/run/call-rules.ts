import { Problem } from '../problem/problem.ts'
import type { CallPlan } from '../plan/call.ts'
import { placeId } from '../plan/node-id.ts'
import type { PlanNode } from '../plan/plan.ts'
import type { Effect } from '../task/task.ts'
import { callersOf } from './call-state.ts'
import { isMet, type NodeState } from './node-state.ts'
import type { RunState } from './run-state.ts'

const DEEPEST = 100

/** @throws Problem `CALL_CYCLE` (task) when tasks call each other without an end */
export function checkDepth(caller: NodeState, task: string): void {
  const chain = callersOf(caller)
  if (chain.length <= DEEPEST) return
  const names = [task, ...chain.map(({ node }) => node.task)].reverse()
  const first = names.lastIndexOf(task, -2)
  const round = names.slice(Math.max(first, names.length - 10)).join(' calls ')
  throw new Problem('task', 'CALL_CYCLE', `tasks call each other without an end: ${round}`, {
    hint: `No call may be more than ${String(DEEPEST)} deep. Let one of them not call the next.`,
  })
}

/**
 * Whether a need of a called task has given its result in the run's plan. False for one that the plan does not have, and for all of
 * the plan once that is over and may have been undone.
 * @throws Problem `CALL_NOT_READY` (task) for one that has not ended, or did not end well: what calls does not wait for it
 */
export function isThere(run: RunState, caller: NodeState, called: string, needed: PlanNode): boolean {
  const state = run.byId.get(needed.id)
  if (!state) return false
  if (caller.afterStop !== state.afterStop) return state.afterStop ? false : keeps(state)
  const key =
    needed.host === undefined ? needed.id : needed.id.slice(0, -`@${needed.stage}/${needed.host}`.length)
  const last = run.byId.get(placeId(`${key}.end`, needed.stage, needed.host)) ?? state
  if (isMet(state) && isMet(last)) return true
  const open = [state, last].some(({ status }) => status === 'waiting' || status === 'running')
  const how = open ? 'has not ended' : 'did not end well'
  const name = `'${needed.task}'`
  throw new Problem(
    'task',
    'CALL_NOT_READY',
    `'${caller.node.task}' calls '${called}', which needs ${name}, and ${name} ${how}`,
    {
      location: locationOf(run, caller),
      key: 'needs',
      hint: `Add ${name} to the needs of '${caller.node.task}', so that it is over before.`,
    },
  )
}

function keeps(state: NodeState): boolean {
  return isMet(state) && state.undone === undefined
}

function locationOf({ options }: RunState, { node }: NodeState): Problem['details']['location'] {
  return options.catalog.tasks.get(node.task)?.['~task'].location
}

const STRENGTH: Readonly<Record<Effect, number>> = { read: 0, write: 1, destroy: 2 }

/**
 * What was confirmed and locked for the caller must do for all that it calls.
 * @throws Problem (task) `CALL_EFFECT`, `CALL_LOCK`, `CALL_COMMITS`
 */
export function checkCalled(run: RunState, caller: NodeState, { nodes }: CallPlan): void {
  const { node: from } = caller
  const refuse = (code: string, what: string, hint: string): never => {
    throw new Problem('task', code, what, { location: locationOf(run, caller), host: from.host, hint })
  }
  for (const node of nodes) {
    if (node.kind !== 'task' || node.milestone || node.skip !== undefined) continue
    const what = `'${from.task}' calls '${node.task}'`
    if (STRENGTH[node.effect] > STRENGTH[from.effect]) {
      refuse(
        'CALL_EFFECT',
        `${what}, whose effect is '${node.effect}', and its own is only '${from.effect}'`,
        `Give '${from.task}' effect: '${node.effect}', so that a protected stage asks before it runs.`,
      )
    }
    const isProtected = run.options.catalog.stages.get(node.stage)?.stage.protected === true
    if (node.stage !== from.stage && node.effect !== 'read' && isProtected) {
      refuse(
        'CALL_EFFECT',
        `${what}, which changes the stage '${node.stage}', and only '${from.stage}' was confirmed`,
        `Let '${from.task}' need '${node.task}' instead: what is planned is confirmed for its own stage.`,
      )
    }
    const lock = node.locks?.find((name) => from.locks?.includes(name) !== true)
    if (lock !== undefined) {
      refuse(
        'CALL_LOCK',
        `${what}, which has the lock '${lock}', and '${from.task}' has not`,
        `Give '${from.task}' the same: lock: '${lock}'. Locks are taken before a task starts.`,
      )
    }
    if (run.options.catalog.tasks.get(node.task)?.['~task'].spec.commits === true) {
      refuse(
        'CALL_COMMITS',
        `${what}, which is a point of no return, and that only a plan can have`,
        `Give '${from.task}' commits: true and '${node.task}' none, or let '${from.task}' need '${node.task}'.`,
      )
    }
  }
}
