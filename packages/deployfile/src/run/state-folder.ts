import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { Problem } from '@deployfile/core'

/**
 * Makes `.deployfile/runs/<id>` beside the config and returns it. `.deployfile` ignores itself, so no project has to.
 * @throws Problem `STATE_NOT_WRITABLE` (check)
 */
export function makeRunFolder(root: string, id: string): string {
  const state = path.join(root, '.deployfile')
  const folder = path.join(state, 'runs', id)
  try {
    mkdirSync(folder, { recursive: true })
    try {
      writeFileSync(path.join(state, '.gitignore'), '*\n', { flag: 'wx' })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  } catch (cause) {
    throw new Problem(
      'check',
      'STATE_NOT_WRITABLE',
      `the log of the run cannot be written to ${folder}: ${(cause as Error).message}`,
      {
        hint: `A run without a log could not be explained or undone. Give your user the right to write to ${root}.`,
        cause,
      },
    )
  }
  return folder
}
