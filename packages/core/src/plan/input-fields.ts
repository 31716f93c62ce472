import type { AnyTask } from '../task/task.ts'
import { isLimit, valuesOf } from '../schema/expected.ts'
import { describe } from './inputs.ts'
import type { JsonSchema } from '../schema/json-schema.ts'

/** One key of a task's input, as the command line takes it. */
export interface InputField {
  readonly key: string
  /** It must be given: it has no default and is not optional. */
  readonly required: boolean
  /** 'switch' is a boolean: `--force` alone means true, `--no-force` false. */
  readonly kind: 'value' | 'switch'
  /** What may be written: `dev|prod`, `number from 1 to 10`, `text`, `numbers, separated by commas`. */
  readonly takes: string
  /** The values that it may have, where there are so few that they can be named. */
  readonly values: readonly string[]
  readonly default?: unknown
  readonly description?: string
}

/** The inputs of a task, for help and completion; none for a schema of another library than zod, which tells nothing of its keys. */
export function inputFields(task: AnyTask): readonly InputField[] {
  const { input } = task['~task'].spec
  if (!input) return []
  const { properties = {}, required = [] } = describe(input)
  return Object.entries(properties).map(([key, schema]) => {
    const values = valuesOf(schema)
    const isSwitch = schema.type === 'boolean'
    return {
      key,
      required: required.includes(key) && schema.default === undefined,
      kind: isSwitch ? 'switch' : 'value',
      takes: values.length > 0 ? values.join('|') : wordsFor(schema),
      values: isSwitch ? ['true', 'false'] : values,
      ...(schema.default !== undefined && { default: schema.default }),
      ...(schema.description !== undefined && { description: schema.description }),
    }
  })
}

function wordsFor(schema: JsonSchema): string {
  const { type, items, anyOf, minimum, maximum, exclusiveMinimum, exclusiveMaximum, format } = schema
  if (type === 'boolean') return 'true|false'
  if (type === 'array') return `${items ? wordsFor({ ...items }) : 'text'}, several separated by commas`
  if (anyOf) return [...new Set(anyOf.map((one) => valuesOf(one).join('|') || wordsFor(one)))].join(' or ')
  if (type !== 'number' && type !== 'integer') return format === undefined ? 'text' : format
  const limits = [
    ...(isLimit(minimum) ? [`from ${String(minimum)}`] : []),
    ...(isLimit(exclusiveMinimum) ? [`above ${String(exclusiveMinimum)}`] : []),
    ...(isLimit(maximum) ? [`to ${String(maximum)}`] : []),
    ...(isLimit(exclusiveMaximum) ? [`below ${String(exclusiveMaximum)}`] : []),
  ]
  return [type === 'integer' ? 'whole number' : 'number', ...limits].join(' ')
}
