import { Problem, type Host, type Shell } from '@deployfile/core'
import { createShells } from '@deployfile/shell'
import {
  parseDatabaseUrl,
  type DatabaseIdentity,
  type ProductionDatabase,
  type Site,
} from '@deployfile/postgres'
import type { PostgresServer } from '../../../test/servers/postgres.ts'

const host: Host = {
  name: 'db1',
  stage: 'test',
  roles: ['db'],
  transport: 'local',
  address: 'db1',
  primary: false,
  props: {},
}

export interface TestSite extends Site {
  readonly logs: string[]
  readonly progressed: Parameters<Site['progress']>[]
  /** The texts of all commands, as the screen would show them. */
  readonly commands: string[]
  abort(): void
}

export interface SiteOptions {
  readonly url: string
  readonly password?: string
  readonly root: string
  /** 'ssh': the same commands, but as for a host where the package pg-dump-restore cannot run. */
  readonly as?: 'local' | 'ssh'
}

/** A site on this machine, through the real shells. */
export function testSite({ url, password, root, as = 'local' }: SiteOptions): TestSite {
  const logs: string[] = []
  const progressed: Parameters<Site['progress']>[] = []
  const commands: string[] = []
  const controller = new AbortController()
  const { signal } = controller
  const shells = createShells({ root })
  const shell = shells.remote(host, {
    signal,
    emit: (event) => {
      commands.push(JSON.stringify(event))
    },
  })
  const parsed = parseDatabaseUrl(url)
  return {
    shell: as === 'local' ? shell : asRemote(shell),
    connection: parsed.connection,
    password: password ?? parsed.password,
    folder: `${root}/.deployfile/backups`,
    signal,
    log: (message) => logs.push(message),
    progress: (...seen) => progressed.push(seen),
    logs,
    progressed,
    commands,
    abort: () => controller.abort(),
  }
}

function asRemote(shell: Shell): Shell {
  return new Proxy(shell, {
    get(target, key) {
      if (key === 'host') return { ...host, transport: 'ssh' }
      const value: unknown = Reflect.get(target, key)
      return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value
    },
  })
}

/**
 * The same site behind a link that breaks: from the first statements on that match, no command is carried out any more; `once` breaks
 * only there. 'after': they are carried out, and only the word of it is lost.
 */
export function behindBrokenLink(
  site: TestSite,
  pattern: RegExp,
  { when = 'before', once = false }: { readonly when?: 'before' | 'after'; readonly once?: boolean } = {},
): TestSite {
  const lost = new Problem('task', 'CONNECTION_LOST', 'db1: the connection was lost')
  let broken = false
  let spent = false
  const shell = new Proxy(site.shell, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key)
      if (typeof value !== 'function') return value
      return async (...args: unknown[]): Promise<unknown> => {
        if (broken) throw lost
        const run = (): unknown => (value as (...given: unknown[]) => unknown).apply(target, args)
        const { input } = (args[2] ?? {}) as { readonly input?: unknown }
        if (spent || typeof input !== 'string' || !pattern.test(input)) return run()
        spent = once
        broken = !once
        if (when === 'after') await run()
        throw lost
      }
    },
  })
  return { ...site, shell }
}

/** Somebody else's database, so that the target is not production. */
export const elsewhere: readonly ProductionDatabase[] = [
  { stage: 'production', database: 'app', identity: { system: '1', oid: 1 } },
]

export async function identityOf(server: PostgresServer, database: string): Promise<DatabaseIdentity> {
  const text = await server.psql(
    `SELECT system_identifier || '|' || (SELECT oid FROM pg_database WHERE datname = '${database.replaceAll("'", "''")}') FROM pg_control_system()`,
  )
  const [system = '', oid = ''] = text.split('|')
  return { system, oid: Number(oid) }
}

/** Everything in a database that a restore could lose, as one text: objects, rows, large objects. */
export async function contentOf(server: PostgresServer, database: string): Promise<string> {
  const tables = await server.psql(
    `SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'v', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1`,
    database,
  )
  const lists = [
    "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1",
    "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
    'SELECT extname FROM pg_extension ORDER BY 1',
    'SELECT sequencename, last_value FROM pg_sequences ORDER BY 1',
    "SELECT encode(lo_get(oid), 'hex') FROM pg_largeobject_metadata ORDER BY 1",
    "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prolang <> 13 ORDER BY 1",
  ]
  const rows = tables.split('\n').filter((name) => name !== '')
  const parts = [...rows.map((table) => `SELECT t::text FROM ${table} t`), ...lists].map(
    (sql) => `array_to_string(ARRAY(SELECT x::text FROM (${sql}) x ORDER BY 1), E'\\n')`,
  )
  // One question, because every psql that is started takes its time.
  const contents = await server.psql(`SELECT concat_ws(E'\\n--\\n', ${parts.join(', ')})`, database)
  return `${tables}\n--\n${contents}`
}
