import { Problem, toRecord } from '@deployfile/core'
import type { RestartStrategy } from '../restart/strategy.ts'
import { NOTE_AND_RUN_SCRIPT, NOTE_SCRIPT } from './flip-script.ts'
import { locate, type OnHost } from './layout.ts'
import { ledgerLine } from './ledger.ts'
import type { StageOptions } from './stage-options.ts'
import { runSteps } from './step.ts'
import type { Release } from './before-migrate.ts'
import { typed } from './typed.ts'
import { runUserCommand } from './user-command.ts'

/**
 * Restarts the application, and before that writes down that it is told to start from the release `name`: what goes back must then
 * restart as well. With a command both are one round trip.
 * @throws Problem (task) `RESTART_FAILED`, and what a strategy throws
 */
export async function restartAndNote(
  context: OnHost,
  options: StageOptions,
  name: string,
  release?: Release,
): Promise<void> {
  const { remote, run } = context
  const { restart } = options
  const { deployTo, current } = await locate(remote, options.deployTo)
  const line = ledgerLine({
    ...{ release: name, state: 'live', run: run.id, restart: true },
    ...{ at: new Date().toISOString(), user: run.user },
  })
  const code = 'RESTART_FAILED'
  if (typeof restart === 'string') {
    const title = `restart: ${restart.trim().split(/[\r\n]/)[0] ?? ''}`
    const last = { what: 'the restart', command: `sh -e -c ${restart}` }
    const purpose = { title, code, hint: ranIn(current), last }
    await runSteps(remote, purpose, NOTE_AND_RUN_SCRIPT, [deployTo, line, restart], { cwd: current })
    return
  }
  await runSteps(remote, { title: 'write down the restart', code }, NOTE_SCRIPT, [deployTo, line])
  await restartApplication(context, options, release)
}

const ranIn = (current: string): string => `It ran in ${current}.`

/** Restarts the application on a host, by the strategy or command of the options; does nothing where there is none. */
export async function restartApplication(
  context: OnHost,
  options: StageOptions,
  release?: Release,
): Promise<void> {
  if (options.restart === undefined) return
  const { host, remote } = context
  const { deployTo, current } = await locate(remote, options.deployTo)
  const dry = context.run.dryRun === true
  // What a strategy says, it says of what it has done.
  const log = (message: string): void => {
    if (!dry) context.log(message)
  }
  const strategy = typeof options.restart === 'string' ? byCommand(options.restart) : options.restart
  if (dry && strategy.preview !== true) {
    context.log(`would restart: the strategy '${strategy.name}' has no preview`)
    return
  }
  await strategy.restart({ host, remote, deployTo, current, log, dryRun: dry, ...(release && { release }) })
}

function byCommand(command: string): RestartStrategy {
  return {
    name: 'command',
    preview: true,
    async restart({ remote, host, current }) {
      await runUserCommand({ remote, host }, current, {
        ...{ command, what: 'the restart', code: 'RESTART_FAILED' },
        hint: ranIn(current),
      })
    },
  }
}

/**
 * The application may have started from the release that `current` was just taken off.
 * @throws Problem (task) `UNDO_FAILED` that says where `current` is
 */
export async function restartAfterGoingBack(context: OnHost, options: StageOptions): Promise<void> {
  try {
    await restartApplication(context, options)
  } catch (cause) {
    const { host } = context
    const { message, command } = toRecord(cause)
    throw new Problem('task', 'UNDO_FAILED', `current is back where it was, but ${message}`, {
      ...{ host: host.name, command, cause },
      hint: `The application may still run the release that was taken back. When it can start again: ${typed(context, 'deploy:restart')}`,
    })
  }
}
