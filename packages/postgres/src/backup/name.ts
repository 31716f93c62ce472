import { createHash, randomBytes } from 'node:crypto'

/** What tells one backup from every other: a moment and four hexadecimal digits. */
export interface Stamp {
  /** `20261123T181502123Z` */
  readonly time: string
  readonly hex: string
}

/**
 * A stamp for what one task of one run makes. The same run and purpose give the same stamp, so that what the run left behind can be
 * found again by its undo, without anything having been returned.
 */
export function stampOf(run: { readonly id: string; readonly startedAt: Date }, purpose: string): Stamp {
  const hex = createHash('sha256').update(`${run.id} ${purpose}`).digest('hex').slice(0, 4)
  return { time: compactTime(run.startedAt), hex }
}

let lastTime = 0

/** A stamp for code without a run. No two of one process have the same time. */
export function newStamp(): Stamp {
  lastTime = Math.max(Date.now(), lastTime + 1)
  return { time: compactTime(new Date(lastTime)), hex: randomBytes(2).toString('hex') }
}

/** UTC, so that names sort by time across machines and changes of the clock. */
function compactTime(date: Date): string {
  return date.toISOString().replace(/[-:.]/g, '')
}

export interface BackupLabel {
  readonly application: string
  readonly stage: string
  readonly database: string
}

/** `<application>_<stage>_<database>_<time>_<4 hex>.pgdump`; what is not safe in a file name becomes a dash. */
export function backupName(label: BackupLabel, stamp: Stamp): string {
  const parts = [label.application, label.stage, label.database].map(safe)
  return `${[...parts, stamp.time, stamp.hex].join('_')}.pgdump`
}

function safe(part: string): string {
  // 48 characters each leave room below the 255 bytes that file systems allow.
  return part.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, 48)
}

const LONGEST_NAME = 63
const TEMPORARY = /_(restore|old)_\d{8}t\d{9}z_[0-9a-f]{4}$/

/** The database that a restore fills, or the one that it took the place of. PostgreSQL cuts longer names without saying so. */
export function temporaryName(database: string, kind: 'restore' | 'old', stamp: Stamp): string {
  const suffix = `_${kind}_${stamp.time.toLowerCase()}_${stamp.hex}`
  return `${fitting(database, LONGEST_NAME - suffix.length)}${suffix}`
}

/** Whether a name is one that {@link temporaryName} gives for this database, and of which kind. */
export function temporaryKind(name: string, database: string): 'restore' | 'old' | undefined {
  const match = TEMPORARY.exec(name)
  if (!match || name.slice(0, match.index) !== fitting(database, LONGEST_NAME - match[0].length))
    return undefined
  return match[1] as 'restore' | 'old'
}

/** A name that must be cut ends with a digest of all of it: two that begin alike must not be taken for each other. */
function fitting(database: string, bytes: number): string {
  if (Buffer.byteLength(database) <= bytes) return database
  const digest = createHash('sha256').update(database).digest('hex').slice(0, 8)
  return `${cutBytes(database, bytes - digest.length - 1)}~${digest}`
}

function cutBytes(text: string, bytes: number): string {
  let cut = ''
  for (const character of text) {
    if (Buffer.byteLength(cut + character) > bytes) break
    cut += character
  }
  return cut
}
