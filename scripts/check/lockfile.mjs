import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** This project's, and those of what its tests fetch. */
const LOCKFILES = [
  'package-lock.json',
  'scripts/services/nodes/package-lock.json',
  'scripts/services/pm2/package-lock.json',
  'scripts/services/servers/newest/package-lock.json',
  'scripts/services/servers/older/package-lock.json',
]

/**
 * package-lock.json names versions and hashes, never an address: an address of one machine's mirror would make
 * `npm ci` fail on every other machine. .npmrc asks npm for that; this notices when somebody's npm did not listen.
 */
export function checkLockfile(root) {
  const addressed = LOCKFILES.flatMap((file) => {
    const { packages } = JSON.parse(readFileSync(join(root, file), 'utf8'))
    return Object.entries(packages).filter(([, entry]) => /^[a-z+]+:/.test(entry.resolved ?? ''))
  })
  for (const [name, entry] of addressed) console.error(`${name} is locked to the address ${entry.resolved}`)
  if (addressed.length > 0) {
    console.error(
      'Run "rm package-lock.json && npm install" in its folder, with the .npmrc of this one in place.',
    )
  }
  return addressed.length === 0
}
