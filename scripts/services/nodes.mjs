import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fetchLocked } from './locked.mjs'

/** What is published is tried on these besides the Node that runs the tests. */
export const OTHER_NODES = ['22', '24']

const LOCKED = fileURLToPath(new URL('nodes', import.meta.url))
/** Outside node_modules, which `npm ci` removes: they are 370 MB. */
const KEPT = fileURLToPath(new URL('../../.cache/nodes', import.meta.url))

/** The folder of another Node's program, to be put first on PATH; undefined where it has not been fetched. */
export function findNode(major) {
  const folder = join(KEPT, 'node_modules', `node${major}-${process.platform}-${process.arch}`, 'bin')
  return runs(join(folder, 'node'), major) ? folder : undefined
}

/** Fetches what is missing of them. Returns an exit code: not 0 where CI lacks one. */
export function provideNodes() {
  if (OTHER_NODES.some((major) => findNode(major) === undefined)) fetchLocked(LOCKED, KEPT)
  const missing = OTHER_NODES.filter((major) => findNode(major) === undefined)
  for (const major of OTHER_NODES)
    console.log(
      missing.includes(major) ? `  ✘ Node ${major}: missing` : `  ✔ Node ${major}: ${findNode(major)}`,
    )
  if (missing.length === 0) return 0
  if (process.env.CI === 'true') {
    console.error('✘ CI=true: the tests that need it may not be skipped, so this ends here.')
    return 1
  }
  console.log(`  SKIPPED for now: what is published is not tried on Node ${missing.join(' and ')}.`)
  return 0
}

/** What is there may be of an earlier lockfile, of another machine, or cut off. */
function runs(program, major) {
  if (!existsSync(program)) return false
  const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8', timeout: 10_000 })
  const { optionalDependencies } = JSON.parse(readFileSync(join(LOCKED, 'package.json'), 'utf8'))
  return Object.entries(optionalDependencies).some(
    ([name, locked]) =>
      name.startsWith(`node${major}-`) && locked.endsWith(`@${(stdout ?? '').trim().slice(1)}`),
  )
}
