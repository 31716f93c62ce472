import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fetchLocked } from './locked.mjs'

const LOCKED = fileURLToPath(new URL('pm2', import.meta.url))
const KEPT = fileURLToPath(new URL('../../.cache/pm2', import.meta.url))

/** PM2's program, for Node; undefined where it has not been fetched. No distribution has it. */
export function findPm2() {
  const folder = join(KEPT, 'node_modules/pm2')
  if (!existsSync(join(folder, 'bin/pm2'))) return undefined
  const wanted = readJson(join(LOCKED, 'package.json')).optionalDependencies.pm2
  return readJson(join(folder, 'package.json')).version === wanted ? join(folder, 'bin/pm2') : undefined
}

/** Fetches it where it is missing. Returns an exit code: not 0 where CI lacks it. */
export function providePm2() {
  if (findPm2() === undefined) fetchLocked(LOCKED, KEPT)
  const found = findPm2()
  console.log(found === undefined ? '  ✘ PM2: missing' : `  ✔ PM2: ${found}`)
  if (found !== undefined) return 0
  if (process.env.CI === 'true') {
    console.error('✘ CI=true: the tests that need it may not be skipped, so this ends here.')
    return 1
  }
  console.log('  SKIPPED for now: pm2() is not tried with the real PM2.')
  return 0
}

function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'))
}
