import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fetchLocked } from './locked.mjs'

/** The server that every run of the suite tries besides the distribution's, and those that npm run test:versions adds. */
export const NEWEST = '18'
export const ALL = ['15', '16', '17', NEWEST]

const LOCKED = fileURLToPath(new URL('servers', import.meta.url))
const KEPT = fileURLToPath(new URL('../../.cache/postgres', import.meta.url))

/** The folder of a server's files, which hold no client programs; undefined where it has not been fetched. */
export function findServer(major) {
  const name = `postgres${major}-${process.platform}-${process.arch}`
  const folder = join(KEPT, setOf(major), 'node_modules', name)
  if (!existsSync(join(folder, 'native/bin/postgres'))) return undefined
  const wanted = readJson(join(LOCKED, setOf(major), 'package.json')).optionalDependencies[name]
  return wanted?.endsWith(`@${readJson(join(folder, 'package.json')).version}`) === true ? folder : undefined
}

/** Fetches what is missing of these. Returns an exit code: not 0 where CI lacks one. */
export function provideServers(majors) {
  const absent = majors.filter((major) => findServer(major) === undefined)
  for (const set of new Set(absent.map(setOf))) fetchLocked(join(LOCKED, set), join(KEPT, set))
  const missing = majors.filter((major) => findServer(major) === undefined)
  for (const major of majors) {
    const found = findServer(major)
    console.log(
      found === undefined ? `  ✘ PostgreSQL ${major}: missing` : `  ✔ PostgreSQL ${major}: ${found}`,
    )
  }
  if (missing.length === 0) return 0
  if (process.env.CI === 'true') {
    console.error('✘ CI=true: the tests that need it may not be skipped, so this ends here.')
    return 1
  }
  console.log(`  SKIPPED for now: backups and restores are not tried on PostgreSQL ${missing.join(', ')}.`)
  return 0
}

function setOf(major) {
  return major === NEWEST ? 'newest' : 'older'
}

function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'))
}
