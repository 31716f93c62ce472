import type { RunEvent } from '@deployfile/core'
import { transferText, type TransferStart } from './transfer-text.ts'

export type Progress = Extract<RunEvent, { type: 'node.progress' }>

/** `dump: 12.0 MB of ~48.0 MB (~25%)  4.0 MB/s  ~00:09 left`, `restore: 12 of 40 entries, 2000000 rows`; `~`: it is a guess. */
export function progressText(event: Progress, since: TransferStart & { readonly for: number }): string {
  const { what, note, done, total, unit, estimated = false } = event
  const size =
    unit === 'bytes'
      ? // A guess that was too low is no longer shown.
        transferText(
          { bytes: done, ...(total !== undefined && !(estimated && done >= total) && { total }), estimated },
          since,
        )
      : `${String(done)}${total === undefined ? '' : ` of ${estimated ? '~' : ''}${String(total)}`}${unit === undefined ? '' : ` ${unit}`}`
  return `${what === undefined ? '' : `${what}: `}${size}${note === undefined ? '' : `, ${note}`}`
}

/** What of a node is told of: another part of its work starts anew. */
export function progressKey({ node, what = '', unit = '' }: Progress): string {
  return `${node} ${what} ${unit}`
}
