import * as z from 'zod'
import { taskNamed } from '../config/aliases.ts'
import type { Catalog } from '../config/catalog.ts'
import { Problem } from '../problem/problem.ts'
import { checkInputData } from '../task/input-data.ts'
import { didYouMean } from '../problem/suggest.ts'
import type { JsonSchema } from '../schema/json-schema.ts'
import { inputExample, inputFault } from './input-words.ts'
import type { InputIssue } from '../schema/expected.ts'
import { readNeed } from '../task/needs.ts'
import type { Schema } from '../task/schema.ts'
import type { AnyTask } from '../task/task.ts'

type Raw = Readonly<Record<string, string>>

/** Text inputs by task name. */
export type RoutedInputs = ReadonlyMap<string, Raw>

/**
 * Gives each `key=value` to the tasks that it is for (design §4): the requested tasks and their groups' members; else the one other
 * planned task that has it; `task.key=value` always works.
 * @throws Problem `INPUT_UNKNOWN` or `INPUT_AMBIGUOUS` (usage)
 */
export function routeInputs(
  inputs: Raw,
  requested: readonly AnyTask[],
  planned: readonly AnyTask[],
  catalog: Catalog,
): RoutedInputs {
  const routed = new Map<string, Record<string, string>>()
  const give = (task: string, key: string, value: string): void => {
    routed.set(task, { ...routed.get(task), [key]: value })
  }
  const near = withMembers(requested)
  for (const [key, value] of Object.entries(inputs)) {
    const dot = key.lastIndexOf('.')
    const named = dot === -1 ? undefined : taskNamed(catalog, key.slice(0, dot))
    if (named && keysOf(named).includes(key.slice(dot + 1))) {
      give(named.name, key.slice(dot + 1), value)
      continue
    }
    const mine = near.filter((task) => keysOf(task).includes(key))
    const takers = mine.length > 0 ? mine : planned.filter((task) => keysOf(task).includes(key))
    if (takers.length === 0) throw unknownInput(key, requested, planned)
    if (mine.length === 0 && takers.length > 1) {
      throw new Problem('usage', 'INPUT_AMBIGUOUS', `'${key}' is an input of several planned tasks`, {
        hint: `Say which: ${takers.map((task) => `${task.name}.${key}=${value}`).join('  or  ')}`,
      })
    }
    for (const task of takers) give(task.name, key, value)
  }
  return routed
}

function withMembers(requested: readonly AnyTask[]): readonly AnyTask[] {
  const found = new Map<string, AnyTask>()
  const stack = [...requested]
  for (let task = stack.pop(); task; task = stack.pop()) {
    if (found.has(task.name)) continue
    found.set(task.name, task)
    if (task['~task'].spec.run === undefined)
      stack.push(...Object.values(task['~task'].spec.needs).map((need) => readNeed(need).task))
  }
  return [...found.values()]
}

function unknownInput(key: string, requested: readonly AnyTask[], planned: readonly AnyTask[]): Problem {
  const names = requested.map((task) => `'${task.name}'`).join(' and ')
  const known = planned.flatMap((task) => keysOf(task))
  const [they, take] = requested.length === 1 ? ['It takes', 'takes'] : ['They take', 'take']
  const list = known.length === 0 ? `${they} none.` : `${they}: ${[...new Set(known)].join(', ')}.`
  return new Problem('usage', 'INPUT_UNKNOWN', `${names} ${take} no input '${key}'`, {
    hint: didYouMean(key, known) ?? list,
  })
}

const described = new WeakMap<Schema, JsonSchema>()

/** The input's JSON Schema. Another vendor than zod tells nothing of its keys, so such inputs come only from `.with`. */
export function describe(schema: Schema): JsonSchema {
  const known = described.get(schema)
  if (known) return known
  const isZod = schema['~standard'].vendor === 'zod'
  // `unrepresentable: 'any'`: z.date() and the like would throw, and then no help could be printed for the rest either.
  const made = isZod
    ? z.toJSONSchema(schema as unknown as z.ZodType, { io: 'input', unrepresentable: 'any' })
    : {}
  described.set(schema, made)
  return made
}

/** The keys that a task takes from the command line. */
export function keysOf(task: AnyTask): readonly string[] {
  const { input } = task['~task'].spec
  return input ? Object.keys(describe(input).properties ?? {}) : []
}

/**
 * A task's checked input: what was bound by `.with` wins over the command line's text, which is turned into the schema's types first
 * (not by z.coerce, whose input type is `unknown` and would let anything pass at compile time).
 * @throws Problem `INPUT_INVALID` or `INPUT_NOT_JSON` (usage) naming key and task
 */
export function parseInput(task: AnyTask, raw: Raw | undefined): unknown {
  const { spec, bound, location } = task['~task']
  const schema = spec.input
  if (!schema) return {}
  const { properties = {} } = describe(schema)
  const typed = Object.entries(raw ?? {}).map(([key, text]) => [key, convert(text, properties[key] ?? {})])
  const value: Readonly<Record<string, unknown>> = {
    ...(Object.fromEntries(typed) as object),
    ...(bound as object | undefined),
  }
  const result = schema['~standard'].validate(value) as StandardResult | Promise<StandardResult>
  if (result instanceof Promise) {
    throw new Problem('usage', 'INPUT_ASYNC', `the input schema of '${task.name}' checks asynchronously`, {
      location,
      hint: 'A plan is made without waiting: move that check into run.',
    })
  }
  if (result.issues) throw invalidInput(task, result.issues, value, raw ?? {})
  checkInputData(task.name, result.value, location)
  return result.value
}

type StandardResult =
  { readonly issues?: undefined; readonly value: unknown } | { readonly issues: readonly InputIssue[] }

function invalidInput(
  task: AnyTask,
  issues: readonly InputIssue[],
  value: Readonly<Record<string, unknown>>,
  raw: Raw,
): Problem {
  const { spec, location } = task['~task']
  const { properties = {} } = spec.input ? describe(spec.input) : {}
  const lines = new Set<string>()
  const examples = new Set<string>()
  const keys: string[] = []
  for (const issue of issues) {
    const path = (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part))
    const [key] = path
    const schema = key === undefined ? undefined : properties[key]
    if (key === undefined || schema === undefined) {
      lines.add(key === undefined ? issue.message : `${path.join('.')}: ${issue.message}`)
      continue
    }
    if (!(key in value)) {
      lines.add(`${key}=… is missing`)
      continue
    }
    keys.push(key)
    const given = raw[key] ?? value[key]
    const fault = inputFault(key, given, schema, issue)
    lines.add(fault ?? `${path.join('.')}: ${issue.message}`)
    const example = fault === undefined ? undefined : inputExample(key, given, schema)
    if (example !== undefined) examples.add(example)
  }
  const takes = `Its inputs are: ${keysOf(task)
    .map((key) => `${key}=…`)
    .join(' ')}`
  // What is only missing needs no look at the config.
  const [key] = keys
  return new Problem(
    'usage',
    'INPUT_INVALID',
    `the input of '${task.name}' does not fit: ${[...lines].join('; ')}`,
    { ...(key !== undefined && { location, key }), hint: [...examples, takes].join('\n') },
  )
}

const TRUE = ['true', 'yes', '1', 'on']
const FALSE = ['false', 'no', '0', 'off']

// Text that does not convert stays as it is: the schema then says what it expected.
function convert(text: string, schema: JsonSchema): unknown {
  const types = [schema, ...(schema.anyOf ?? [])].flatMap(({ type }) =>
    typeof type === 'string' ? [type] : (type ?? []),
  )
  if (types.includes('string') || types.length === 0) return text
  if (
    (types.includes('number') || types.includes('integer')) &&
    text.trim() !== '' &&
    Number.isFinite(Number(text))
  )
    return Number(text)
  if (types.includes('boolean') && TRUE.includes(text.toLowerCase())) return true
  if (types.includes('boolean') && FALSE.includes(text.toLowerCase())) return false
  if (types.includes('array'))
    return text === '' ? [] : text.split(',').map((part) => convert(part, schema.items ?? {}))
  return text
}
