import {
  inputFields,
  isWhere,
  normalizeOn,
  readNeed,
  type AnyTask,
  type Catalog,
  type InputField,
} from '@deployfile/core'
import { shorten } from '../render/problem.ts'
import type { Style } from '../render/style.ts'
import { wrapped } from '../render/width.ts'

export interface DescribeView {
  readonly catalog: Catalog
  /** Of the command line: examples then name it. */
  readonly stage?: string | undefined
  readonly style: Style
  readonly columns: number | undefined
  readonly cwd: string
}

/** A task in full: what it does, takes and needs, where it runs, and how it is typed. */
export function describeTask(task: AnyTask, view: DescribeView): string[] {
  const { catalog, style, columns, cwd } = view
  const { spec, location } = task['~task']
  const fields = inputFields(task)
  const needs = needsOf(task)
  const place = location ? `${shorten(location.file, cwd)}:${String(location.line)}` : ''
  const facts: readonly (readonly [string, string])[] = [
    ['Also called', (spec.aliases ?? []).join(', ')],
    ['Runs', `${placeOf(task)}${spec.when ? ', under a condition of its own' : ''}`],
    ['Does', EFFECTS[spec.effect ?? 'write']],
    ['Needs', needs.join(', ')],
    ['Before it', hooks(catalog.before.get(task.name))],
    ['After it', hooks(catalog.after.get(task.name))],
    ['Declared in', place],
  ]
  const lines = facts
    .filter(([, fact]) => fact !== '')
    .flatMap(([name, fact]) => wrapped(fact, columns, `  ${name.padEnd(12)} `, ' '.repeat(15)))
  return [
    style.bold(usageOf(task, fields)),
    ...(task.desc === undefined ? [] : task.desc.trim().split('\n')).flatMap((line) =>
      wrapped(line.trim(), columns, '  '),
    ),
    '',
    ...(fields.length === 0 ? [] : ['  Inputs', ...inputLines(fields, style), '']),
    ...lines,
    '',
    '  Examples',
    ...examplesOf(task, fields, view).map((example) => `    ${style.cyan(example)}`),
    '',
  ]
}

const EFFECTS = {
  read: 'changes nothing on its stage, and never asks',
  write: 'changes what its stage serves; a protected stage asks first',
  destroy: 'destroys what its stage has; asks for a name, even with --yes',
} as const

/** The same for programs. */
export function taskFacts(task: AnyTask, catalog: Catalog): unknown {
  const { spec, location } = task['~task']
  return {
    name: task.name,
    desc: task.desc ?? null,
    aliases: spec.aliases ?? [],
    effect: spec.effect ?? 'write',
    runs: placeOf(task),
    inputs: inputFields(task),
    needs: needsOf(task),
    before: (catalog.before.get(task.name) ?? []).map(({ name }) => name),
    after: (catalog.after.get(task.name) ?? []).map(({ name }) => name),
    location: location ?? null,
  }
}

/** The names of what a task needs, without those it only takes when they are planned. */
export function needsOf(task: AnyTask): readonly string[] {
  const needs = Object.values(task['~task'].spec.needs).map((need) => readNeed(need))
  return [...new Set(needs.flatMap(({ task: { name }, optional }) => (optional ? [] : [name])))]
}

/** Where a task runs, as a person says it. */
export function placeOf(task: AnyTask): string {
  const { on } = task['~task'].spec
  if (on === undefined) return 'once, on this machine'
  const { role, pick, stage } = normalizeOn(on)
  const hosts = isWhere(role) ? 'some hosts' : `hosts with the role ${[role].flat().join(' or ')}`
  const which =
    pick === 'primary' ? `on the primary of the ${hosts}` : `on ${isWhere(role) ? '' : 'the '}${hosts}`
  return stage === undefined ? which : `${which} of ${stage}`
}

function usageOf(task: AnyTask, fields: readonly InputField[]): string {
  const inputs = fields.map(({ key, required }) => (required ? `${key}=…` : `[${key}=…]`))
  return ['deployfile [stage]', task.name, ...inputs].join(' ')
}

function inputLines(fields: readonly InputField[], style: Style): string[] {
  const width = Math.max(...fields.map(({ key, takes }) => key.length + takes.length + 1))
  return fields.map(({ key, takes, required, description, default: preset }) => {
    const head = `${key}=${takes}`.padEnd(width)
    const state = required ? 'required' : preset === undefined ? '' : `default ${shown(preset)}`
    const tail = [description ?? '', state === '' ? '' : style.dim(`(${state})`)].filter(Boolean).join(' ')
    return `    ${head}  ${tail}`.trimEnd()
  })
}

function examplesOf(
  task: AnyTask,
  fields: readonly InputField[],
  { catalog, stage }: DescribeView,
): readonly string[] {
  const given = fields.filter(({ required }) => required).map((field) => `${field.key}=${exampleOf(field)}`)
  const chosen = stage ?? [...catalog.stages.keys()].find((name) => name !== catalog.defaultStage)
  const typed = ['deployfile', ...(chosen === undefined ? [] : [chosen]), task.name, ...given].join(' ')
  const optional = fields.find(({ required, kind }) => !required && kind === 'switch')
  return [
    typed,
    `${typed} --plan`,
    ...(optional ? [`${typed} --${optional.key}`, `${typed} --no-${optional.key}`] : []),
  ]
}

function exampleOf({ values, takes }: InputField): string {
  const [first] = values
  if (first !== undefined) return first
  return takes.includes('number') ? '1' : '…'
}

function hooks(tasks: readonly AnyTask[] = []): string {
  return tasks.map(({ name }) => name).join(', ')
}

function shown(value: unknown): string {
  return typeof value === 'string' ? (value === '' ? "''" : value) : JSON.stringify(value)
}
