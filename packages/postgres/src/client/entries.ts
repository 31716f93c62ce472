// What pg_restore --verbose says (pg_backup_archiver.c), which LC_ALL=C keeps in English. grep -E and JavaScript read these alike.

/** With several jobs: what was done before they begin, and what one of them has ended. */
export const DONE_BY_JOBS = '^pg_restore: (processing|finished) item [0-9]+ '
/** Items that no table of contents lists. */
export const UNLISTED = '^pg_restore: processing item [0-9]+ (ENCODING|STDSTRINGS|SEARCHPATH|DATABASE) '
/** With one job: an entry that is begun, so that the one before has ended. */
export const BEGUN_BY_ONE =
  '^pg_restore: (creating|executing|processing data for table|processing [A-Z]+)( |$)'
/** All that it says when nothing is wrong. */
export const SMALL_TALK =
  '^pg_restore: (connecting|creating|executing|processing|launching|finished|skipping|restoring|restored|entering|implied|reading|disabling|enabling|while) '

/** Up to here what it says is kept in memory while it runs, which is a few hundred bytes an entry. */
const MOST_ENTRIES = 50_000

/** Whether a restore may say each entry, and each large object, as it comes. */
export function mayTell(entries: number, largeObjects: number): boolean {
  return entries + largeObjects <= MOST_ENTRIES
}

/** Counts the entries that are done as the lines come. */
export function entryCounter(jobs: number): {
  readonly add: (line: string) => void
  readonly done: () => number
} {
  const [counts, leaves] = [jobs > 1 ? DONE_BY_JOBS : BEGUN_BY_ONE, UNLISTED].map(
    (one) => new RegExp(one),
  ) as [RegExp, RegExp]
  let lines = 0
  return {
    add(line) {
      if (counts.test(line) && !leaves.test(line)) lines++
    },
    done: () => (jobs > 1 ? lines : Math.max(0, lines - 1)),
  }
}
