import { writeList } from '../backup/contents.ts'
import { restoreGrants } from '../client/grants.ts'
import { countJobs } from '../client/jobs.ts'
import { restoreInto } from '../client/restore.ts'
import type { Server } from '../sql/query.ts'
import type { CheckedArchive } from './check.ts'
import { watchRestore } from './watch.ts'

/** A new database, and who owns what is restored into it. */
export interface Fresh {
  readonly database: string
  readonly owner: string
}

export interface Filled {
  /** How many the archive has. */
  readonly tables: number
  /** What to do when the database has another number of them. */
  readonly advice: string
}

/** Restores an archive into a new database, all of it, or fails. */
export type Fill = (fresh: Fresh) => Promise<Filled>

interface FileFill {
  readonly list: string
  /** It is a backup of the database that is replaced. */
  readonly own: boolean
  /** Default: one a processor. */
  readonly jobs?: number | undefined
}

/** From a file on the host of the database, several tables at once. */
export function fillFromFile(
  server: Server,
  file: string,
  { programs, contents, tells }: CheckedArchive,
  { list, own, jobs: wanted }: FileFill,
): Fill {
  return async ({ database, owner }) => {
    const { shell } = server.site
    const entries = await writeList(shell, programs, file, list)
    const jobs = wanted ?? (await countJobs(shell))
    const watch = watchRestore(server, database, entries)
    try {
      await restoreInto(server, programs, {
        ...{ archive: file, listFile: list, database, role: owner, jobs, tells, look: watch.look },
      })
    } finally {
      await watch.close()
    }
    if (own) await restoreGrants(server, programs, { file, listFile: list, database })
    return { tables: contents.tables, advice: 'Check the backup with db:backup:verify.' }
  }
}
