import type { RestartStrategy } from '../restart/strategy.ts'
import { locate, type OnHost } from './layout.ts'
import { runCommand } from './migrate.ts'
import type { StageOptions } from './options.ts'
import type { Release } from './tasks.ts'

/** Restarts the application on a host, by the strategy or command of the options; false when there is none. */
export async function restartApplication(
  context: OnHost,
  options: StageOptions,
  release?: Release,
): Promise<boolean> {
  if (options.restart === undefined) return false
  const { host, remote } = context
  const { deployTo, current } = await locate(remote, options.deployTo)
  const log = (message: string): void => {
    context.log(message)
  }
  const strategy = typeof options.restart === 'string' ? byCommand(options.restart) : options.restart
  await strategy.restart({ host, remote, deployTo, current, log, ...(release && { release }) })
  return true
}

function byCommand(command: string): RestartStrategy {
  return { name: 'command', restart: ({ remote, current }) => runCommand({ remote }, current, command) }
}
