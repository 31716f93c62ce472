import { isSecret } from '../secret/secret.ts'

/**
 * The path of the first thing in a value that JSON cannot carry, or undefined when all of it can: results travel through the journal
 * and may be read by another process. Undefined properties are allowed; they read the same when absent.
 */
export function notJson(value: unknown): { readonly path: string; readonly what: string } | undefined {
  const seen = new Set<object>()
  const check = (at: unknown, path: string): { path: string; what: string } | undefined => {
    if (at === null || typeof at === 'string' || typeof at === 'boolean') return undefined
    if (typeof at === 'number') return Number.isFinite(at) ? undefined : { path, what: String(at) }
    if (typeof at !== 'object') return { path, what: `a ${typeof at}` }
    // It travels by its name, and is resolved again where it arrives.
    if (isSecret(at)) return undefined
    if (seen.has(at)) return { path, what: 'a reference to something that contains it' }
    seen.add(at)
    const found = Array.isArray(at) ? checkArray(at, path) : checkObject(at, path)
    seen.delete(at)
    return found
  }
  const checkArray = (list: readonly unknown[], path: string): { path: string; what: string } | undefined => {
    for (const [index, item] of list.entries()) {
      const found = check(item, `${path}[${String(index)}]`)
      if (found) return found
    }
    return undefined
  }
  const checkObject = (object: object, path: string): { path: string; what: string } | undefined => {
    const prototype: unknown = Object.getPrototypeOf(object)
    if (prototype !== Object.prototype && prototype !== null)
      return { path, what: `a ${object.constructor.name}` }
    for (const [key, inner] of Object.entries(object)) {
      const found = inner === undefined ? undefined : check(inner, path === '' ? key : `${path}.${key}`)
      if (found) return found
    }
    return undefined
  }
  return value === undefined ? undefined : check(value, '')
}
