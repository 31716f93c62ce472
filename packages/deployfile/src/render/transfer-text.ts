import { clock } from './duration.ts'

/** Bytes on their way, of a file or of whatever a task tells of. */
export interface Transfer {
  readonly bytes: number
  readonly total?: number
  /** `total` is a guess. */
  readonly estimated?: boolean
}

/** When a transfer was first told of, in milliseconds since 1970, and how far it was. */
export interface TransferStart {
  readonly at: number
  readonly bytes: number
}

/** Milliseconds before a rate says anything. */
const SETTLED = 1000

/** `12.0 MB of 48.0 MB (25%)  4.0 MB/s  00:09 left`; the rate once there is one, the rest where the size is known. */
export function transferText(
  { bytes: done, total, estimated = false }: Transfer,
  since: TransferStart & { readonly for: number },
): string {
  const known = total !== undefined && total > 0
  const about = estimated ? '~' : ''
  const size = known
    ? `${bytes(done)} of ${about}${bytes(total)} (${about}${String(Math.floor((100 * done) / total))}%)`
    : bytes(done)
  const rate = since.for < SETTLED ? 0 : ((done - since.bytes) * 1000) / since.for
  if (rate <= 0) return size
  const left = known && done < total ? `  ${about}${clock(((total - done) / rate) * 1000)} left` : ''
  return `${size}  ${bytes(rate)}/s${left}`
}

/** How long ago something was first told of, and how far it was then. The same again from its beginning counts anew. */
export function sinceStart(
  starts: Map<string, TransferStart>,
  key: string,
  done: number,
  at: number,
): TransferStart & { readonly for: number } {
  const known = starts.get(key)
  const start = known && known.bytes <= done ? known : { at, bytes: done }
  starts.set(key, start)
  return { ...start, for: at - start.at }
}

/** 1.2 MB, in steps of 1000. */
export function bytes(number: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = number
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 ? String(Math.round(value)) : value.toFixed(1)} ${units[unit] ?? ''}`
}
