import type { RunEvent } from '../event/event.ts'
import { isPacked, packPlan, unpackPlan } from './packed-plan.ts'

type Started = Extract<RunEvent, { type: 'node.started' }>
type Ended = Extract<RunEvent, { type: 'node.ended' }>

// A field that is added to these events and not to the lines below would be lost: without both, this does not compile.
type Written = 'type' | 'node' | 'phase' | 'parent' | 'seq' | 'at'
type WrittenAtEnd = Written | 'status' | 'durationMs' | 'reason' | 'problem' | 'result'
true satisfies [Exclude<keyof Started, Written>, Exclude<keyof Ended, WrittenAtEnd>] extends [never, never]
  ? true
  : false

/**
 * An event as a line of a log, without its end: what JSON.stringify makes of it, with the plan of a run packed. The two events that
 * every node has are put together here in a fifth of the time, because everything waits while one is written.
 */
export function lineOf(event: RunEvent): string {
  if (event.type === 'node.started') return `${headOf(event)}${tailOf(event)}`
  if (event.type === 'run.started') return JSON.stringify({ ...event, plan: packPlan(event.plan) })
  if (event.type !== 'node.ended') return JSON.stringify(event)
  const { status, durationMs, reason, problem, result } = event
  let line = `${headOf(event)},"status":"${status}","durationMs":${String(durationMs)}`
  if (reason !== undefined) line += `,"reason":${JSON.stringify(reason)}`
  if (problem !== undefined) line += `,"problem":${JSON.stringify(problem)}`
  if (result !== undefined) line += `,"result":${JSON.stringify(result)}`
  return line + tailOf(event)
}

function headOf({ type, node, phase }: Started | Ended): string {
  return `{"type":"${type}","node":${JSON.stringify(node)},"phase":"${phase}"`
}

function tailOf({ parent, seq, at }: Started | Ended): string {
  const called = parent === undefined ? '' : `,"parent":${JSON.stringify(parent)}`
  return `${called},"seq":${String(seq)},"at":${String(at)}}`
}

/**
 * The event that {@link lineOf} wrote.
 * @throws SyntaxError when it is none
 */
export function eventOf(line: string): RunEvent {
  const value: unknown = JSON.parse(line)
  if (typeof value !== 'object' || value === null || !('type' in value) || !('seq' in value))
    throw new SyntaxError('it is not an event')
  const event = value as RunEvent
  return event.type === 'run.started' && isPacked(event.plan)
    ? { ...event, plan: unpackPlan(event.plan) }
    : event
}
