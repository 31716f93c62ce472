import type { Host, Stage } from '../host/host.ts'
import { Problem } from '../problem/problem.ts'

const BRAND = '~perStage'

/** A table of values by stage; `default` stands for every other stage. */
export interface PerStage<in S extends string, out V> {
  readonly [BRAND]: Readonly<Record<string, V>>
  /** For the compiler: which stages the table answers for. */
  readonly '~for': (stage: S) => V
}

export function perStage<const K extends string, V>(table: { readonly [P in K]: V }): PerStage<
  'default' extends K ? string : K,
  V
> {
  return { [BRAND]: table, '~for': () => undefined as V }
}

/** A recipe's option: a value, a table, or a function of the stage (and of the host, where the option is read on one). */
export type Option<V, S extends string = string> = V | ((stage: Stage, host?: Host) => V) | PerStage<S, V>

/**
 * The value for a stage.
 * @throws Problem `OPTION_NO_STAGE` (usage) when a table has neither the stage nor a default
 */
export function resolveOption<V>(name: string, option: Option<V>, stage: Stage, host?: Host): V {
  if (typeof option === 'function') return (option as (stage: Stage, host?: Host) => V)(stage, host)
  if (!isTable(option)) return option
  const table = option[BRAND]
  const key = Object.hasOwn(table, stage.name) ? stage.name : 'default'
  if (!Object.hasOwn(table, key)) {
    throw new Problem(
      'usage',
      'OPTION_NO_STAGE',
      `the table of '${name}' has no entry for the stage '${stage.name}'`,
      {
        key: name,
        hint: `It has ${Object.keys(table).join(', ')}. Add ${stage.name}, or a default.`,
      },
    )
  }
  return table[key] as V
}

function isTable<V>(option: Option<V>): option is PerStage<string, V> {
  return typeof option === 'object' && option !== null && BRAND in option
}
