import { inputFields, type Catalog } from '@deployfile/core'

/** A 'switch' is a boolean: `--force` alone means true. */
export type InputKind = 'value' | 'switch'

/** Every key that some task takes on the command line, also as `task.key`, and the two reserved ones. */
export function inputKeys(catalog: Catalog): ReadonlyMap<string, InputKind> {
  const keys = new Map<string, InputKind>([
    ['stage', 'value'],
    ['confirm', 'value'],
  ])
  for (const task of catalog.tasks.values()) {
    for (const { key, kind } of inputFields(task)) {
      // Two tasks may differ: a key that anybody reads a value from always takes one.
      if (keys.get(key) !== 'value') keys.set(key, kind)
      for (const name of [task.name, ...(task['~task'].spec.aliases ?? [])]) keys.set(`${name}.${key}`, kind)
    }
  }
  return keys
}
