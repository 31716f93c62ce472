import { execFile } from 'node:child_process'

/** Which tar is on this machine. Others (busybox, none) cannot be told names with newlines, so that node-tar does their work. */
export type LocalTar = 'gnu' | 'bsd' | undefined

const known = new Map<string, Promise<LocalTar>>()

/** Asked once for each PATH. */
export function localTar(): Promise<LocalTar> {
  const path = process.env['PATH'] ?? ''
  const asked = known.get(path) ?? ask()
  known.set(path, asked)
  return asked
}

function ask(): Promise<LocalTar> {
  return new Promise((resolve) => {
    execFile('tar', ['--version'], { timeout: 5_000 }, (error, stdout) => {
      resolve(error ? undefined : /GNU tar/.test(stdout) ? 'gnu' : /bsdtar/.test(stdout) ? 'bsd' : undefined)
    })
  })
}

/** Ours, without what would change the meaning of its arguments or add files of macOS's own. */
export function tarEnvironment(): NodeJS.ProcessEnv {
  const { TAR_OPTIONS: _, ...rest } = process.env
  return { ...rest, LC_ALL: 'C', COPYFILE_DISABLE: '1' }
}
