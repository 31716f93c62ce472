/** JSON with sorted keys, so that equal input gives equal ids whatever the order in which it was written. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}

/** A task with its bound input: what runs once per place and run. */
export function instanceKey(task: string, bound: unknown): string {
  return bound === undefined ? task : `${task}${canonicalJson(bound)}`
}

/** `name{input}@stage/host`; no `@` on the control machine. */
export function placeId(key: string, stage: string, host: string | undefined): string {
  return host === undefined ? key : `${key}@${stage}/${host}`
}
