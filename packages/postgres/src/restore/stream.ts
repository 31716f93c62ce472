import { listFrom, type Counts } from '../backup/contents.ts'
import { makeFolder } from '../backup/folder.ts'
import { checkContents, measure } from '../backup/measure.ts'
import { countTables, formatBytes, formatSeconds } from '../backup/size.ts'
import { chooseCompression, type DumpChoices } from '../client/choices.ts'
import { dumpInto } from '../client/dump.ts'
import { piped, type Passed } from '../client/piped.ts'
import { choosePrograms, type Programs } from '../client/programs.ts'
import { restoreInto } from '../client/restore.ts'
import type { Seen } from '../client/watched.ts'
import { hostOf } from '../site.ts'
import type { Server } from '../sql/query.ts'
import { tellsEach } from './check.ts'
import { exclusively } from './exclusive.ts'
import type { Fill, Fresh } from './fill.ts'
import { swapIn } from './fresh.ts'
import type { ReplaceOrder, RestoreResult } from './order.ts'
import type { Target } from './target.ts'
import { watchRestore } from './watch.ts'

/** Both ends of a dump that is restored as it comes. */
export interface Stream {
  readonly source: Server
  readonly target: Target
  readonly dump: DumpChoices
  /** Of the source's host, and of the target's. */
  readonly writer: Programs
  readonly reader: Programs
}

/**
 * Chooses the programs of both ends, before anything is done.
 * @throws Problem `PG_CLIENT_TOO_OLD` (check)
 */
export function prepareStream(source: Server, target: Target, dump: DumpChoices = {}): Stream {
  const { server } = target
  const from = `the server of ${source.site.connection.database} is PostgreSQL ${source.version}`
  const writer = choosePrograms(source.programs, source.major, source.site.shell.host.name, from)
  // What pg_dump 12 to 15 write is read by all of them (see readableFrom).
  const readable = writer.major < 16 ? 12 : Math.min(writer.major, 17)
  const why = `the archive comes from pg_dump ${writer.version} and the server is PostgreSQL ${server.version}`
  const reader = choosePrograms(
    server.programs,
    Math.max(server.major, readable),
    server.site.shell.host.name,
    why,
  )
  return { source, target, dump, writer, reader }
}

/**
 * Fills a fresh database beside the live one with a dump as it comes, and swaps the two once the dump, the restore and the checks have
 * all ended well. What fails on one end ends the other; the live database is untouched until the swap.
 * @throws Problem `RESTORE_RUNNING` (check), `BACKUP_EMPTY`, `RESTORE_INCOMPLETE`, `DATABASE_COMMAND_FAILED`, `TUNNEL_LOST` (task)
 */
export async function restoreStream(stream: Stream, order: ReplaceOrder): Promise<RestoreResult> {
  const started = Date.now()
  const { source, target } = stream
  const { site } = target.server
  const { database } = site.connection
  await makeFolder(site.shell, site.folder)
  return exclusively(
    target,
    order,
    { strategy: 'swap', forceSafety: false },
    async ({ list, lock, safety }) => {
      let passed: Passed | undefined
      let tables = 0
      const fill: Fill = async (fresh) => {
        const { result, ...rest } = await pass(stream, list, fresh)
        passed = rest
        tables = result.tables
        return { tables, advice: 'Run the command again.' }
      }
      const kept = await swapIn(target, order, lock, fill)
      const durationMs = Date.now() - started
      site.log(
        `copied ${source.site.connection.database} into ${database} in ${formatSeconds(durationMs)}: ${formatBytes(passed?.bytes ?? 0)}, ` +
          `${countTables(tables)}, sha256 ${passed?.sha256 ?? ''}; no file was kept`,
      )
      return {
        ...{ database, host: hostOf(site).name, tables, strategy: 'swap', durationMs },
        ...(kept !== undefined && { kept }),
        ...(safety !== undefined && { safety }),
      }
    },
  )
}

async function pass(
  stream: Stream,
  list: string,
  { database, owner }: Fresh,
): Promise<Passed & { readonly result: Counts }> {
  const { source, target, dump, writer, reader } = stream
  const { server } = target
  const { site } = server
  const { plain, bytes } = await measure(source)
  site.log(
    `copying ${source.site.connection.database} (${formatBytes(bytes)} on the server) into ${database}`,
  )
  let received = 0
  return piped(
    {
      give: (into) =>
        dumpInto(source, writer, { compress: compressionOf(stream), choices: dump, output: into }),
      async take(pieces, stop) {
        const contents = await listFrom(site.shell, reader, pieces.first(), list)
        if (dump.schemaOnly !== true) checkContents(source.site, plain, contents.tablesWithData)
        const watch = watchRestore(server, database, contents.listed)
        try {
          await restoreInto(server, reader, {
            ...{ archive: pieces, stop, listFile: list, database, role: owner, jobs: 1 },
            tells: tellsEach(contents, writer.major),
            look: async (entries) => withReceived(await watch.look(entries), received),
          })
        } finally {
          await watch.close()
        }
        return contents
      },
    },
    (count) => {
      received = count
    },
  )
}

/** What has come so far, beside what is done of it. */
function withReceived([done, total, facts]: Seen, bytes: number): Seen {
  const note = [`${formatBytes(bytes)} received`, facts?.note].filter((part) => part !== undefined).join(', ')
  return [done, total, { ...facts, note }]
}

/** Between two programs of one machine, packing only takes time; nothing is kept that could change. */
function compressionOf({ source, target, dump, writer }: Stream): string {
  const ends = [source.site, target.server.site]
  const isHere = ends.every(({ shell }) => shell.host.transport === 'local')
  if (isHere && (dump.compress ?? 'auto') === 'auto') return '0'
  return chooseCompression(dump.compress, writer.major).argument
}
