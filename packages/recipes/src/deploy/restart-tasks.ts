import { all, optional, Problem, toRecord, type HostSelector } from '@deployfile/core'
import { taskAs } from './as-configured.ts'
import type { OnHost } from './layout.ts'
import { stageOptions, type Planning, type WhenReady } from './stage-options.ts'
import type { DeployOptions } from './options.ts'
import { restartAndNote, restartApplication } from './restart.ts'
import type { Decision, DeployTasks } from './tasks.ts'
import { typed } from './typed.ts'
import { verifyRelease } from './verify.ts'

export type RestartTasks = Pick<DeployTasks, 'restart' | 'verify' | 'healthy'>

/** What tells whether the release is good: the application starts from it, and answers. */
export function restartTasks(
  options: DeployOptions,
  on: HostSelector,
  when: WhenReady,
  {
    release,
    revert,
    decide,
    published,
    reverted,
  }: Pick<DeployTasks, 'release' | 'revert' | 'decide' | 'published' | 'reverted'>,
): RestartTasks {
  const task = taskAs(options)
  const flipped = { release: optional(release), revert: optional(revert), decision: optional(decide) }
  const restart: DeployTasks['restart'] = task('deploy:restart', {
    desc: 'Restart the application',
    on,
    ...(options.rolling && { rolling: options.rolling }),
    needs: { ...flipped, published: optional(published), reverted: optional(reverted) },
    when,
    preview: true,
    run: (context) =>
      advised(context, context.needs.decision, async () => {
        const { stage, host, needs, run, skip } = context
        const settled = stageOptions(options, stage, host)
        if (settled.restart === undefined) {
          skip(`no 'restart' option is given to deploy()`)
          return
        }
        // Going back restarts only where a restart had begun; of this process nothing may be left to remember it.
        const name = (needs.release ?? needs.revert)?.name
        if (name === undefined || run.dryRun === true)
          await restartApplication(context, settled, needs.release)
        else await restartAndNote(context, settled, name, needs.release)
        // What is not well ends the batch, and the hosts of the others go on as they were.
        if (options.rolling && run.dryRun !== true) await verifyRelease(context, settled)
      }),
  })
  const verify = task('deploy:verify', {
    desc: 'Check that the application answers from the release',
    on,
    effect: 'read',
    needs: {
      ...flipped,
      // In batches each host was verified when it was restarted: here all are once more, when the last one is.
      restart: optional(options.rolling ? all(restart) : restart),
      published: optional(published),
      reverted: optional(reverted),
    },
    when: ({ stage, host }: Planning) =>
      stageOptions(options, stage, host).verify ? true : `no 'verify' option is given to deploy()`,
    run: (context) =>
      advised(context, context.needs.decision, () =>
        verifyRelease(context, stageOptions(options, context.stage, context.host)),
      ),
    preview: ({ stage, host, log }) => {
      const { url, command } = stageOptions(options, stage, host).verify ?? {}
      log(`would check ${[url, command].filter((what) => what !== undefined).join(' and ')}`)
    },
  })
  const healthy = task('deploy:healthy', {
    desc: 'The release is good on every host: nothing before this is taken back any more',
    effect: 'read',
    commits: true,
    needs: {
      ...{ published: optional(published), reverted: optional(reverted) },
      ...{ restart: optional(all(restart)), verify: optional(all(verify)) },
    },
    preview: true,
    run: () => undefined,
  })
  return { restart, verify, healthy }
}

/**
 * What fails or is stopped after it was decided to stay leaves the new release live everywhere: then it is said what to type. A backup
 * that was made in this run is named in any case.
 */
async function advised<T>(
  context: OnHost,
  decision: Decision | undefined,
  act: () => Promise<T>,
): Promise<T> {
  if (decision === undefined) return act()
  const { log, signal } = context
  const stays = `Every host stays on the new release, because ${decision.because ?? ''}. To start it again: ${typed(context, 'deploy:restart')}; to go back: ${typed(context, 'deploy:rollback')}`
  const { goesBack, backup } = decision
  const advice = [...(goesBack ? [] : [stays]), ...(backup === undefined ? [] : [backup])].join('\n')
  if (advice === '') return act()
  try {
    return await act()
  } catch (cause) {
    if (signal.aborted) {
      for (const line of advice.split('\n')) log(line)
      throw cause
    }
    const { code, message, hint, host, command } = toRecord(cause)
    throw new Problem('task', code, message, {
      ...{ host, command, cause },
      hint: hint === undefined ? advice : `${hint}\n${advice}`,
    })
  }
}
