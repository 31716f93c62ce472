import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Whether node_modules holds what package-lock.json names. npm notes what it installed in node_modules/.package-lock.json;
 * the two are compared by content, because a checkout or a branch switch makes times lie in both directions.
 */
export function installedAsLocked(root) {
  const note = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(note)) return false
  const wanted = packagesOf(join(root, 'package-lock.json'))
  const present = packagesOf(note)
  return Object.entries(wanted).every(([path, { version, integrity, link, optional }]) => {
    // The workspaces themselves are folders here, linked below; optional packages are those of other platforms.
    if (!path.includes('node_modules/') || optional) return true
    const found = present[path]
    return (
      found !== undefined && (link === true || (found.version === version && found.integrity === integrity))
    )
  })
}

function packagesOf(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages
}
