import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Fetches what a lockfile of its own names from the npm registry into a folder: as dependencies of this project, its programs would
 * stand first on every script's PATH.
 */
export function fetchLocked(locked, folder) {
  mkdirSync(folder, { recursive: true })
  for (const name of ['package.json', 'package-lock.json'])
    copyFileSync(join(locked, name), join(folder, name))
  const options = ['--ignore-scripts', '--no-bin-links', '--no-audit', '--no-fund', '--loglevel=error']
  console.log(`  $ npm ci (in ${folder})`)
  spawnSync('npm', ['ci', ...options], { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] })
}
