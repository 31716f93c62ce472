import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { findPm2 } from '../../scripts/services/pm2.mjs'
import { guard } from './guard.ts'

/** A real PM2 with a daemon and a home of its own. */
export interface Pm2 extends AsyncDisposable {
  readonly home: string
  /** A script of sh that is `pm2`, for its arguments. */
  readonly program: string
  /** Runs it in a folder, as a person would. */
  run(cwd: string, ...args: readonly string[]): void
}

/** Whether the PM2 that `npm test` fetches is there; said loudly where it is not, and an error with CI=true. */
export function pm2Found(): boolean {
  if (findPm2() !== undefined) return true
  const text = 'needs PM2, which npm test fetches from the npm registry'
  if (process.env['CI'] === 'true') throw new Error(`CI=true, and this ${text}`)
  console.warn(`SKIPPED: this ${text}`)
  return false
}

/** It would ask its makers whether there is a newer one. */
const QUIET = { PM2_DISABLE_VERSION_CHECK: 'true' }

export function startPm2(folder: string): Pm2 {
  const home = join(folder, '.pm2')
  mkdirSync(home)
  const file = findPm2() ?? ''
  const run = (cwd: string, ...args: readonly string[]): void => {
    const env = { ...process.env, ...QUIET, PM2_HOME: home }
    const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...args], {
      cwd,
      env,
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(`pm2 ${args.join(' ')} failed:\n${stdout}${stderr}`)
  }
  // Its daemon is started by its first command, and is no child of ours.
  run(folder, 'ping')
  const dismiss = guard(Number(readFileSync(join(home, 'pm2.pid'), 'utf8')), 'SIGTERM', folder)
  return {
    home,
    program: `exec '${process.execPath}' '${file}' "$@"`,
    run,
    [Symbol.asyncDispose]() {
      run(folder, 'kill')
      dismiss()
      return Promise.resolve()
    },
  }
}
