import * as z from 'zod'
import { stageName, stageSchema } from '../host/host-schema.ts'
import type { SourceLocation } from '../problem/location.ts'
import { Problem } from '../problem/problem.ts'
import { didYouMean } from '../problem/suggest.ts'
import { mainIssue, valueFault, type ValueFault } from '../schema/value-fault.ts'
import { DURATION_HINT, milliseconds, type Duration } from '../task/duration.ts'
import type { Recipe } from '../task/recipe.ts'
import { isTask, type AnyTask } from '../task/task.ts'

const taskSchema = z.custom<AnyTask>(isTask, 'is not a task: give the value that task(…) or group(…) returns')
const recipeSchema = z.custom<Recipe>(
  (value) => typeof value === 'object' && value !== null && 'tasks' in value && '~stages' in value,
  'is not a recipe: give the value that recipe(…), deploy(…) or postgres(…) returns',
)
const durationSchema = z.custom<Duration>(
  (value) => milliseconds(value) !== undefined,
  `is no duration. ${DURATION_HINT}`,
)
const hooksSchema = z.record(z.string(), z.array(taskSchema).optional())

const schema = z.strictObject({
  stages: z.record(stageName, stageSchema),
  defaultStage: z.string().optional(),
  use: z.array(recipeSchema).optional(),
  tasks: z.array(taskSchema).optional(),
  before: hooksSchema.optional(),
  after: hooksSchema.optional(),
  onFailure: z.array(taskSchema).optional(),
  pools: z.record(z.string(), z.int().min(1)).optional(),
  grace: durationSchema.optional(),
})

export type CheckedConfig = z.infer<typeof schema>

// What may stand at which depth, for "did you mean"; read off the schemas so that it cannot lag behind them.
const KEYS = {
  config: Object.keys(schema.shape),
  stage: Object.keys(stageSchema.shape),
  host: Object.keys(stageSchema.shape.hosts.valueType.shape),
}

/**
 * The config as data of known shape.
 * @throws Problem `CONFIG_INVALID` (usage) about the first mistake, with the key's path
 */
export function checkConfig(source: unknown, location: SourceLocation | undefined): CheckedConfig {
  const parsed = schema.safeParse(source)
  if (parsed.success) return parsed.data
  const issue = mainIssue(parsed.error.issues)
  if (!issue) throw parsed.error
  if (issue.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys
    const known = knownKeys(issue.path)
    throw new Problem('usage', 'CONFIG_INVALID', `${placeOf(issue.path)} has the unknown key '${key}'`, {
      location,
      key,
      hint: didYouMean(key, known) ?? `It may have: ${known.join(', ')}.`,
    })
  }
  if (issue.code === 'invalid_key') {
    const name = String(issue.path.at(-1))
    const of = issue.path.length > 2 ? `a host of the stage '${String(issue.path[1])}'` : 'a stage'
    throw new Problem('usage', 'CONFIG_INVALID', `${JSON.stringify(name)} cannot be the name of ${of}`, {
      location,
      key: name,
      hint: sentence(issue.issues[0]?.message ?? ''),
    })
  }
  const last = issue.path.findLast((part) => typeof part === 'string')
  const { message, hint } = faultOf(source, issue)
  const about = { location, hint, ...(last !== undefined && { key: last }) }
  throw new Problem('usage', 'CONFIG_INVALID', message, about)
}

// What cannot be left out, as it may be written.
const EXAMPLES: Readonly<Record<string, string>> = {
  stages: "stages: { dev: { hosts: { localhost: { transport: 'local', roles: ['web'] } } } }",
  hosts: "hosts: { 'web1.example.com': { roles: ['web'] } }",
  roles: "roles: ['web'], or roles: [] for a host that has none",
}

const NOT_YET =
  'Where two files import each other, one of them does not have yet what the other exports: put that into a third file.'

function faultOf(source: unknown, issue: z.core.$ZodIssue): Pick<ValueFault, 'message' | 'hint'> {
  const { path, message, missing, hint } = valueFault(schema, source, issue)
  const key = String(path.at(-1))
  const example = missing && EXAMPLES[key]
  if (example !== undefined)
    return { message: `${placeOf(path.slice(0, -1))} has no ${key}`, hint: `For example ${example}` }
  if (missing)
    return {
      message: `${placeOf(path)} is undefined`,
      hint: path.length === 0 ? 'Give it { stages: … }.' : NOT_YET,
    }
  // `is not a task` goes on where the place ends.
  return { message: `${placeOf(path)}${message.startsWith('is ') ? '' : ':'} ${message}`, hint }
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`
}

function knownKeys(path: readonly PropertyKey[]): readonly string[] {
  if (path.length === 0) return KEYS.config
  return path.length === 2 ? KEYS.stage : KEYS.host
}

// `stages.production.hosts.web1.port` as a person would say it.
function placeOf(path: readonly PropertyKey[]): string {
  const [top, stage, ...of] = path.map(String)
  if (top === undefined) return 'the config'
  if (top !== 'stages' || stage === undefined) return `the config's ${path.map(String).join('.')}`
  const [key, host, ...rest] = of
  if (key === undefined) return `the stage '${stage}'`
  if (key !== 'hosts' || host === undefined) return `${of.join('.')} of the stage '${stage}'`
  const where = `the host '${host}' of the stage '${stage}'`
  return rest.length === 0 ? where : `${rest.join('.')} of ${where}`
}
