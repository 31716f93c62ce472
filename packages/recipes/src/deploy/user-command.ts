import { isProblem, Problem, type CommandOutput } from '@deployfile/core'
import type { OnHost } from './layout.ts'

/** What a command is for, as its failure tells it: `db1: the migration failed: …`. */
export interface UserCommand {
  readonly command: string
  readonly what: string
  readonly code: string
  readonly hint: string
  /** It changes nothing, and what it prints is for us. Default false. */
  readonly reads?: boolean
}

/**
 * Runs a command that the user wrote, in a folder: by an argument, so that it has its standard input to itself, and without `set -u`,
 * which version managers' scripts do not survive. It stops at the first of several commands that fails.
 * @throws Problem (task) with the end of what the command said
 */
export async function runUserCommand(
  { remote, host }: Pick<OnHost, 'remote' | 'host'>,
  cwd: string,
  { command, what, code, hint, reads = false }: UserCommand,
): Promise<CommandOutput> {
  try {
    return await remote.run('sh', ['-e', '-c', command], { cwd, reads })
  } catch (error) {
    if (!isProblem(error) || error.code !== 'COMMAND_FAILED') throw error
    const failed = error.details.command
    const why = failed?.tail.findLast((line) => line.trim() !== '')
    const message = `${host.name}: ${what} failed${why === undefined ? '' : `: ${why}`}`
    throw new Problem('task', code, message, { host: host.name, hint, command: failed, cause: error })
  }
}
