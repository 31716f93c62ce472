import type { Catalog } from '@deployfile/core'

/** A 'switch' is a boolean: `--force` alone means true. */
export type InputKind = 'value' | 'switch'

/** Every key that some task takes on the command line, also as `task.key`, and the two reserved ones. */
export function inputKeys(catalog: Catalog): ReadonlyMap<string, InputKind> {
  const keys = new Map<string, InputKind>([
    ['stage', 'value'],
    ['confirm', 'value'],
  ])
  for (const task of catalog.tasks.values()) {
    for (const [key, field] of Object.entries(shapeOf(task['~task'].spec.input))) {
      const kind = typeOf(field) === 'boolean' ? 'switch' : 'value'
      // Two tasks may differ: a key that anybody reads a value from always takes one.
      if (keys.get(key) !== 'value') keys.set(key, kind)
      for (const name of [task.name, ...(task['~task'].spec.aliases ?? [])]) keys.set(`${name}.${key}`, kind)
    }
  }
  return keys
}

interface ZodLike {
  readonly shape?: Readonly<Record<string, unknown>>
  readonly def?: { readonly type?: string; readonly in?: unknown; readonly innerType?: unknown }
}

// Standard Schema has no way to list keys. zod does; for another library `key=value` works, `--key value` does not.
function shapeOf(schema: unknown): Readonly<Record<string, unknown>> {
  const { shape, def } = (schema ?? {}) as ZodLike
  if (shape) return shape
  return def?.in === undefined ? {} : shapeOf(def.in)
}

function typeOf(schema: unknown): string | undefined {
  const { def } = (schema ?? {}) as ZodLike
  return def?.innerType === undefined ? def?.type : typeOf(def.innerType)
}
