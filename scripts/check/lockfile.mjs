import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * package-lock.json names versions and hashes, never an address: an address of one machine's mirror would make
 * `npm ci` fail on every other machine. .npmrc asks npm for that; this notices when somebody's npm did not listen.
 */
export function checkLockfile(root) {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  const addressed = Object.entries(packages).filter(([, entry]) => /^[a-z+]+:/.test(entry.resolved ?? ''))
  for (const [name, entry] of addressed) console.error(`${name} is locked to the address ${entry.resolved}`)
  if (addressed.length > 0) {
    console.error('Run "rm package-lock.json && npm install" in this folder, with its .npmrc in place.')
  }
  return addressed.length === 0
}
