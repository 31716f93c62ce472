import type { OnHost } from '../layout.ts'
import { runSteps } from '../step.ts'
import { readLock, type LockState } from './owner.ts'
import { STATUS_SCRIPT } from './script.ts'

/** Who holds the lock; undefined when nobody does. Reads only. */
export async function lookAtLock(
  { remote }: Pick<OnHost, 'remote'>,
  deployTo: string,
): Promise<LockState | undefined> {
  const purpose = { title: 'look at the deploy lock', code: 'LOCK_UNKNOWN', reads: true }
  const { stdout } = await runSteps(remote, purpose, STATUS_SCRIPT, [deployTo])
  return readLock(stdout)
}
