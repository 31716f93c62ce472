import { isProblem, Problem } from '@deployfile/core'
import { FLIP_BACK_SCRIPT, FLIP_SCRIPT } from './flip-script.ts'
import { locate, type OnHost } from './layout.ts'
import { ledgerLine, ledgerStart, type ReleaseState } from './ledger.ts'
import { ownerStart } from './lock/owner.ts'
import type { HeldLock } from './lock/info.ts'
import type { StageOptions } from './stage-options.ts'
import { runSteps } from './step.ts'
import type { Flip } from './tasks.ts'

/** A flip that is wanted. */
export interface FlipPlan {
  readonly name: string
  /**
   * The text that `current` had when the run looked: it must still have it. `undefined`: there was no link. Absent: whatever it was.
   */
  readonly from?: { readonly link: string | undefined }
  readonly lock: HeldLock | undefined
  /** This run has built the release under the lock: no other may have begun on the host since. */
  readonly built?: boolean
  readonly revision?: string
  readonly branch?: string
  /** Releases that `current` is taken off because they are bad. */
  readonly bad?: readonly string[]
}

/**
 * Points `current` at a release, in one step and read back, by the absolute path that Capistrano would write; only while the lock is
 * this run's and `current` is what it was, which Capistrano, too, may have changed: it knows no lock.
 * @throws Problem (task) `PUBLISH_FAILED`
 */
export async function flip(
  { remote, run, host }: OnHost,
  options: StageOptions,
  { name, from, lock, built = false, bad = [], ...details }: FlipPlan,
): Promise<Flip> {
  const { deployTo } = await locate(remote, options.deployTo)
  const about = { run: run.id, at: new Date().toISOString(), user: run.user }
  const lines = [
    ...bad
      .filter((one) => one !== name)
      .map((release) => ledgerLine({ release, state: 'rolled-back', ...about })),
    ledgerLine({ release: name, state: 'live', ...about, ...details }),
  ]
  const mode = lock === undefined ? 'free' : lock.host === host.name ? 'held' : ''
  const { stdout } = await runSteps(
    remote,
    { title: `publish ${name}`, code: 'PUBLISH_FAILED' },
    FLIP_SCRIPT,
    [
      ...[deployTo, run.id, name, from ? 'is' : 'any', from?.link ?? ''],
      ...[mode, ownerStart(run.id), built && lock !== undefined ? 'yes' : 'no', ...lines],
    ],
  )
  const previous =
    stdout
      .split('\n')
      .find((line) => line.startsWith('link\t'))
      ?.slice('link\t'.length) ?? ''
  return { name, ...(previous !== '' && { previous }) }
}

/** What taking a flip back found: `current` was where the flip had put it, and the application may have started from there. */
export interface WentBack {
  readonly back: boolean
  readonly restarted: boolean
}

/**
 * Takes a flip back: `current` gets the text that it had before, or goes where there was none. Does nothing when it points elsewhere
 * by now. `states` is what the ledger then says of releases.
 * @throws Problem (task) `UNDO_FAILED` that says what to type
 */
export async function flipBack(
  { remote, run, host }: OnHost,
  options: StageOptions,
  { name, previous }: Flip,
  states: Readonly<Record<string, ReleaseState>>,
): Promise<WentBack> {
  const { deployTo, current, releases } = await locate(remote, options.deployTo)
  const at = new Date().toISOString()
  const lines = Object.entries(states).map(([release, state]) =>
    ledgerLine({ release, state, run: run.id, at, user: run.user }),
  )
  const purpose = { title: `take the flip to ${name} back`, code: 'UNDO_FAILED' }
  const values = [deployTo, run.id, name, previous === undefined ? 'none' : 'link', previous ?? '']
  try {
    const { stdout } = await runSteps(remote, purpose, FLIP_BACK_SCRIPT, [
      ...values,
      restartMark(name, run.id),
      options.lock ? 'yes' : 'no',
      ...lines,
    ])
    return { back: stdout.startsWith('back\n'), restarted: stdout.includes('restarted\n') }
  } catch (error) {
    // Also where the host does not answer any more: then nobody else says where it was left.
    if (!isProblem(error)) throw error
    const by = previous === undefined ? `rm ${current}` : `ln -sfn ${previous} ${current}`
    const why = error.message.replace(`${host.name}: `, '')
    throw new Problem(
      'task',
      'UNDO_FAILED',
      `${host.name}: ${current} may still point to ${releases}/${name}, not back to ${previous ?? 'nothing'}: ${why}`,
      {
        ...error.details,
        hint: `The next deploy puts every host on one release. To put this one back by hand: ${by}`,
        cause: error,
      },
    )
  }
}

/** How the ledger's line begins that a restart writes before it does anything. */
export function restartMark(name: string, run: string): string {
  return `${ledgerStart(name, 'live', run)},"restart":true`
}
