import { type Question, type Shell } from '@deployfile/core'
import { createBackup, removeBackup } from '../backup/create.ts'
import { newStamp, type Stamp } from '../backup/name.ts'
import { downloadBackup, sendBackup } from '../backup/transfer.ts'
import type { DumpChoices } from '../client/choices.ts'
import type { Site } from '../site.ts'
import { openServer } from '../sql/query.ts'
import type { RestoreChoices } from './choices.ts'
import { judgeTarget, type ProductionDatabase } from './guard.ts'
import type { RestoreResult } from './order.ts'
import { preflight, readSource } from './preflight.ts'
import { restoreBackup } from './restore.ts'
import { prepareStream, restoreStream } from './stream.ts'
import { openTarget } from './target.ts'

export interface CopyOrder {
  /** The database that is copied; it is only read. */
  readonly from: Site
  /** The database that is replaced. */
  readonly to: Site
  /** This machine, and its folder of backups, absolute: the file passes through it and stays there. */
  readonly local: Shell
  readonly folder: string
  /** Part of the name of the file, as the two stages are. */
  readonly application: string
  readonly fromStage: string
  readonly toStage: string
  /** What must never be the target; none known is refused. */
  readonly production: readonly ProductionDatabase[]
  /** Default: a new one. */
  readonly stamp?: Stamp
  readonly dump?: DumpChoices
  readonly choices?: RestoreChoices
  /**
   * The dump is restored as it comes, and no file of it is kept anywhere. Only into a fresh database beside the live one. Default false:
   * it becomes a backup in `folder`, which several restore at once, and which is there for another try.
   */
  readonly stream?: boolean
  /** Called before the dump, when the target is not simply one's own. */
  confirm(question: Question): Promise<void>
}

/**
 * One database into another: both ends are looked at, somebody agrees, dump there, file here (unless it is streamed), restore there. What
 * `db:backup:restore_from_prod` does in several tasks, for a program that has two sites.
 * @throws Problem all of `createBackup`, `downloadBackup` and {@link restoreBackup}; whatever happens before the swap leaves the
 * target as it was
 */
export async function restoreFrom(order: CopyOrder): Promise<RestoreResult> {
  const { from, to, local, folder, application, production } = order
  const stamp = order.stamp ?? newStamp()
  const target = await openTarget(to, order.toStage)
  const { question } = judgeTarget(target.facts, production)
  const source = await openServer(from, { readOnly: true, databases: [from.connection.database] })
  await preflight(target, await readSource(source), { ...order.choices, stream: order.stream })
  const stream = order.stream === true ? prepareStream(source, target, order.dump) : undefined
  if (question) await order.confirm(question)
  if (stream) {
    const { toStage: stage, choices } = order
    return restoreStream(stream, { stage, application, stamp, ...(choices && { choices }) })
  }
  const label = { application, stage: order.fromStage }
  const made = await createBackup(from, label, stamp, order.dump)
  const isHere = from.shell.host.transport === 'local'
  const backup = isHere ? made : await downloadBackup(from, local, made, folder)
  if (!isHere) await removeBackup(from, made.file)
  const upload = `${to.folder}/upload_${stamp.time}_${stamp.hex}`
  const sent = to.shell.host.transport === 'local' ? undefined : await sendBackup(to, backup.file, upload)
  try {
    return await restoreBackup(to, {
      backup: { file: sent ?? backup.file, manifest: backup },
      ...{ stage: order.toStage, application, production, stamp },
      ...(order.choices && { choices: order.choices }),
      confirm: () => Promise.resolve(),
    })
  } finally {
    if (sent !== undefined && !to.signal.aborted) await to.shell.remove(upload)
  }
}
