import { isProblem, Problem } from '@deployfile/core'
import type { Order } from '../command/order.ts'
import type { FileDownload } from './download-file.ts'

/** A link that breaks again and again without bringing a byte is not waited for. */
const FRUITLESS_TRIES = 2
const TRIES = 20
/** One that falls silent costs 20 s each time, and is given one more chance whatever it brought. */
const SILENT_TRIES = 2
const SILENT = /the connection was lost \(no answer for /

/**
 * Runs the attempts of a download until the file is there: where a link breaks, the next attempt continues over a new one.
 * @returns its bytes
 * @throws Problem `CONNECTION_LOST` (task), those of the attempts and of {@link FileDownload.land}
 */
export async function persist(
  download: FileDownload,
  from: string,
  resume: boolean,
  attempt: (order: Order) => Promise<unknown>,
): Promise<number> {
  let lost: Problem | undefined
  let fruitless = 0
  let silent = 0
  let arrived = 0
  try {
    for (let tries = 1; ; tries++) {
      try {
        await attempt(download.attempt())
      } catch (error) {
        const { bytes, total } = await download.pause()
        if (!isProblem(error)) throw error
        const broken = error.code === 'CONNECTION_LOST'
        // That it cannot be reached any more is how the link broke, not what was asked for.
        if (!broken && !(lost && error.kind === 'check')) throw error
        lost ??= error
        fruitless = bytes > arrived ? 0 : fruitless + 1
        arrived = bytes
        if (SILENT.test(error.message)) silent++
        const patient = fruitless < FRUITLESS_TRIES && silent < SILENT_TRIES && tries < TRIES
        if (broken && patient) continue
        throw brokenOff(lost, from, bytes, total, resume)
      }
      const landed = await download.land()
      if (landed !== undefined) return landed
    }
  } catch (error) {
    // What cannot be right is not kept, and neither is what there is no room for.
    const useless = isProblem(error) && ['TRANSFER_BROKEN', 'NO_SPACE'].includes(error.code)
    await download.leave(!useless)
    throw error
  }
}

function brokenOff(
  lost: Problem,
  from: string,
  bytes: number,
  total: number | undefined,
  resume: boolean,
): Problem {
  const { host = '', command } = lost.details
  const reason = /the connection was lost (\(.*\));/.exec(lost.message)?.[1]
  const arrived = `${String(bytes)} ${total === undefined ? '' : `of ${String(total)} `}bytes had arrived`
  return new Problem(
    'task',
    'CONNECTION_LOST',
    `${host}: the connection was lost ${reason === undefined ? '' : `${reason} `}while ${from} was being downloaded; ${arrived}`,
    {
      host,
      path: from,
      hint:
        resume && bytes > 0
          ? 'They are kept: run it again, and it continues there while the file is unchanged.'
          : 'Nothing was kept of it. Try again.',
      command,
      cause: lost,
    },
  )
}
