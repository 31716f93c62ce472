import { faulty } from './faulty.ts'

export const CONTROL = /[\u0000-\u001f\u007f]/
/** Has it a part that leads elsewhere? */
export const climbs = (path: string): boolean => path.split('/').some((part) => part === '..' || part === '.')

/** A path inside a release. */
export const pathInside = faulty((path) => {
  if (path === '' || path.startsWith('/') || path.endsWith('/'))
    return `'${path}' is not a path inside a release, such as config/database.yml`
  if (CONTROL.test(path)) return `${JSON.stringify(path)} contains control characters`
  if (path.startsWith('-')) return `'${path}' starts with a dash`
  return climbs(path) || path.includes('//') ? `'${path}' has an empty, '.' or '..' part` : undefined
})
