import { all, defineConfig, group, task, type AnyTask, type Config } from '@deployfile/core'
import { shapes } from '../graph/shapes.ts'

/** A config of no-op tasks of some shape, and what to ask for to plan all of them. */
export interface Declared {
  readonly config: Config
  readonly last: string
  /** Nodes of its plan, but for joins. */
  readonly nodes: number
}

/** `chain`, `fan-out` and `layered` are tasks of one node each; `hosts` is 30 tasks on so many hosts that it comes to as many nodes. */
export const NAMES = ['chain', 'fan-out', 'layered', 'hosts'] as const
export type Name = (typeof NAMES)[number]

const TASKS = 30

/** Prepares a shape; the function declares it, anew each time, and is what is measured. */
export function shapeOf(name: Name, size: number): () => Declared {
  if (name === 'hosts') return () => onHosts(Math.ceil(size / TASKS))
  const shape = shapes[name]
  if (!shape) throw new Error(`there is no shape '${name}'`)
  const needs = Array.from({ length: size }, (_, node) => shape(node, size))
  const needed = new Set(needs.flat())
  const isLast = needs.map((_, node) => !needed.has(node))
  return () => onThisMachine(needs, isLast)
}

const noop = (): void => undefined

function onThisMachine(needs: readonly (readonly number[])[], isLast: readonly boolean[]): Declared {
  const tasks: AnyTask[] = []
  for (const [node, of] of needs.entries()) {
    const record: Record<string, AnyTask> = {}
    for (const [place, need] of of.entries()) record[KEYS[place] ?? ''] = tasks[need] as AnyTask
    tasks.push(task(`t${node}`, { needs: record, run: noop }))
  }
  const ends = tasks.filter((_, node) => isLast[node])
  const [only] = ends
  const last =
    ends.length === 1 && only ? only : group('last', Object.fromEntries(ends.map((one) => [one.name, one])))
  const config = defineConfig({ stages: { here: { hosts: {} } }, tasks: [last] })
  return { config, last: last.name, nodes: needs.length + (ends.length === 1 ? 0 : 1) }
}

const KEYS = ['first', 'second', 'third']

/** Each task on every host; every third one waits for all hosts of the one before. */
function onHosts(count: number): Declared {
  const hosts = Object.fromEntries(
    Array.from({ length: count }, (_, host) => [`h${host}`, { roles: ['app'] }]),
  )
  let last = task('t0', { on: 'app', run: noop })
  for (let index = 1; index < TASKS; index++) {
    const before = last
    const needs = index % 3 === 0 ? { before: all(before) } : { before }
    last = task(`t${index}`, { on: 'app', needs, run: noop }) as typeof last
  }
  const config = defineConfig({ stages: { here: { hosts } }, tasks: [last] })
  return { config, last: last.name, nodes: TASKS * count }
}
