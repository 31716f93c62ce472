import { createReadStream } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { readRun, type NodeStatus, type RunEvent } from '@deployfile/core'
import { print, viewOf, type Terminal, type View } from '../cli/terminal.ts'
import { duration } from '../render/duration.ts'
import { labelOf, onHosts } from '../render/node-label.ts'
import { plainRenderer } from '../render/plain.ts'
import { printable } from '../render/style.ts'
import { folderOf } from '../run/past-runs.ts'

/** A run that is over, or was left, in few words. */
export interface RunFacts {
  readonly id: string
  readonly status: string
  readonly stage: string
  readonly tasks: readonly string[]
  readonly user: string
  readonly startedAt: string
  readonly durationMs: number
  readonly steps: readonly Step[]
  readonly failures: readonly { readonly node: string; readonly message: string; readonly hint?: string }[]
  readonly log: string
}

interface Step {
  readonly task: string
  readonly hosts: readonly string[]
  readonly statuses: Readonly<Partial<Record<NodeStatus | 'unfinished' | 'not run' | 'undone', number>>>
}

export async function showRunFacts(root: string, id: string): Promise<RunFacts> {
  const folder = folderOf(root, id)
  const { recorded } = await readRun(folder)
  const { plan, run, nodes } = recorded
  const steps = new Map<string, { hosts: string[]; statuses: Record<string, number> }>()
  for (const node of plan.nodes) {
    if (node.kind !== 'task' || node.milestone) continue
    const step = steps.get(labelOf(node)) ?? { hosts: [], statuses: {} }
    steps.set(labelOf(node), step)
    if (node.host !== undefined) step.hosts.push(node.host)
    const found = nodes.get(node.id)
    const status = !found ? 'not run' : found.undo === 'done' ? 'undone' : (found.status ?? 'unfinished')
    step.statuses[status] = (step.statuses[status] ?? 0) + 1
  }
  return {
    id,
    status: recorded.status,
    stage: plan.stage,
    tasks: plan.requested,
    user: run.user,
    startedAt: run.startedAt.toISOString(),
    durationMs: recorded.lastAt - run.startedAt.getTime(),
    steps: [...steps].map(([task, step]) => ({ task, ...step })),
    failures: recorded.failures.map(({ node, problem: { message, hint } }) => ({
      node,
      message,
      ...(hint !== undefined && { hint }),
    })),
    log: path.join(folder, 'events.jsonl'),
  }
}

export function showRunLines(facts: RunFacts, { style }: View): string[] {
  const width = Math.max(...facts.steps.map(({ task }) => task.length))
  const color = facts.status === 'done' ? style.green : style.red
  return [
    `${style.bold(`${facts.stage}: ${facts.tasks.join(' ')}`)}  ${color(facts.status)} after ${duration(facts.durationMs)}`,
    style.dim(`run ${facts.id} by ${facts.user}, ${facts.startedAt.replace('T', ' ').slice(0, 19)} UTC`),
    '',
    ...facts.steps.map(({ task, hosts, statuses }) => {
      const states = Object.entries(statuses)
      const all = states.map(([state, number]) =>
        states.length === 1 ? state : `${String(number)} ${state}`,
      )
      return `  ${task.padEnd(width)}  ${all.join(', ')}${style.dim(onHosts(hosts))}`
    }),
    ...facts.failures.flatMap(({ node, message, hint }) => [
      '',
      style.red(`✘ ${node}`),
      ...`${message}\n${hint ?? ''}`
        .trim()
        .split('\n')
        .map((line) => `  ${printable(line)}`),
    ]),
    '',
    style.dim(`Log: ${facts.log}`),
  ]
}

/** Tells a run again as it was told in plain lines, with what only read; with `json` its events as they are. */
export async function logLines(root: string, id: string, json: boolean, terminal: Terminal): Promise<void> {
  const file = path.join(folderOf(root, id), 'events.jsonl')
  if (json) {
    for await (const line of linesOf(file)) print(terminal, [line])
    return
  }
  const { recorded } = await readRun(folderOf(root, id))
  const { style } = viewOf(terminal)
  const context = { plan: recorded.plan, run: recorded.run, output: terminal.stdout, style, verbose: true }
  const renderer = plainRenderer(context)
  for await (const line of linesOf(file)) {
    try {
      renderer.event(JSON.parse(line) as RunEvent)
    } catch {
      // A process that was killed in the middle of a line wrote no more.
    }
  }
  await renderer.end()
}

function linesOf(file: string): AsyncIterable<string> {
  return createInterface({ input: createReadStream(file), crlfDelay: Infinity })
}
