import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { ConnectionOptions } from 'pg-dump-restore'
import { parameterVariables, sessionVariables, type SessionOptions } from '../connection/conninfo.ts'
import { CATCH_ALL, openPassword, passLine, withoutPassword, type Password } from '../connection/passfile.ts'
import type { Connection } from '../connection/url.ts'
import type { DumpChoices } from './choices.ts'
import { SMALL_TALK } from './entries.ts'

// Everything that the package pg-dump-restore (1.0.15) leaves to its caller is in this file. It puts the password into argv and into
// every error, prompts (and hangs) without one, encodes no name, takes programs from the PATH only, and cannot be cancelled.

export interface LibraryCall extends SessionOptions {
  readonly connection: Connection
  readonly password?: Password | undefined
  /** Folder of pg_dump and pg_restore. */
  readonly programs: string
  readonly signal: AbortSignal
  /** Takes what it says on standard error, line by line. */
  readonly onLine?: ((line: string) => void) | undefined
}

// Only when it is used: with what it brings it would take longer to load than all else on the way to `deployfile -T`.
const load = () => import('pg-dump-restore')

/** What is left of a failure of the package: no password, no command line. */
export class LibraryFailure extends Error {
  readonly exitCode: number | null
  readonly lines: readonly string[]

  constructor(exitCode: number | null, lines: readonly string[]) {
    super(lines.join('\n') || `exit code ${exitCode ?? 'unknown'}`)
    this.name = 'LibraryFailure'
    this.exitCode = exitCode
    this.lines = lines
  }
}

/** Dumps into a file that exists already, with mode 0600: the package would create it readable for everybody. */
export async function libraryDump(
  call: LibraryCall,
  file: string,
  compress: string,
  { excludeTables, excludeTableData, schemaOnly }: DumpChoices = {},
): Promise<void> {
  const { FormatEnum, pgDump } = await load()
  await start(call, (connection) =>
    pgDump(connection, {
      filePath: file,
      format: FormatEnum.Custom,
      // It asks for a number and passes on what it is given: `zstd:1` is as good.
      compress: compress as unknown as number,
      lockWaitTimeout: 30_000,
      ...(excludeTables && { excludeTablePattern: [...excludeTables] }),
      ...(excludeTableData && { excludeTableDataPattern: [...excludeTableData] }),
      ...(schemaOnly === true && { schemaOnly }),
    }),
  )
}

export interface LibraryRestoreOptions {
  readonly listFile: string
  readonly jobs: number
  readonly role: string
  /** Objects go where they were; false: into the default tablespace. */
  readonly tablespaces: boolean
  /** Into a database that is in use: what is there is replaced, all of it or nothing. */
  readonly inPlace?: boolean
}

/** Restores strictly: the first error ends it. */
export async function libraryRestore(
  call: LibraryCall,
  file: string,
  options: LibraryRestoreOptions,
): Promise<void> {
  const { pgRestore } = await load()
  const strict = { exitOnError: true, noOwner: true, noAcl: true, noPassword: true }
  await start(call, (connection) =>
    pgRestore(connection, {
      ...strict,
      filePath: file,
      useListFile: options.listFile,
      ...(options.inPlace === true
        ? { clean: true, ifExists: true, singleTransaction: true }
        : { jobs: options.jobs }),
      roleName: options.role,
      ...(!options.tablespaces && { noTableSpaces: true }),
      ...(call.onLine && { verbose: true }),
    }),
  )
}

/** The fields that the package pastes into a URL, encoded so that no name can become a host, a parameter or another database. */
export function libraryConnection(connection: Connection): ConnectionOptions {
  const { host = process.env.PGHOST ?? '', port, user = '', database } = connection
  return {
    host: libraryHost(host),
    port: port ?? Number(process.env.PGPORT ?? 5432),
    username: encodeURIComponent(user),
    database: encodeURIComponent(database),
    // Not undefined, which it refuses; the real one is in the password file.
    password: '',
  }
}

function libraryHost(host: string): string {
  // The package recognises a socket's folder by its first character.
  if (host.startsWith('/')) return `/${encodeURIComponent(host.slice(1))}`
  return host.includes(':') ? `[${host}]` : encodeURIComponent(host)
}

async function start(
  call: LibraryCall,
  run: (connection: ConnectionOptions) => Promise<unknown>,
): Promise<void> {
  await openPassword(call.password)
  call.signal.throwIfAborted()
  const folder = privateFolder()
  try {
    const passfile = join(folder, 'pgpass')
    writeFileSync(passfile, `${ownLines(call)}${CATCH_ALL}\n`, { mode: 0o600 })
    const { child, done } = spawnWith(environment(call, passfile), () =>
      run(libraryConnection(call.connection)),
    )
    if (call.onLine && child?.stderr) {
      const lines = createInterface({ input: child.stderr })
      lines.on('line', call.onLine)
    }
    letGoOfWorkers(child)
    const stop = (): void => terminate(child)
    call.signal.addEventListener('abort', stop, { once: true })
    try {
      await done
    } finally {
      call.signal.removeEventListener('abort', stop)
    }
  } catch (error) {
    call.signal.throwIfAborted()
    throw scrub(error, call.password)
  } finally {
    removeFolder(folder)
  }
}

const folders = new Set<string>()
const removeAll = (): void => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
}

/** Removed with this process at the latest: a second Ctrl-C leaves without waiting for anything. */
function privateFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'deployfile-'))
  if (folders.size === 0) process.once('exit', removeAll)
  folders.add(folder)
  return folder
}

function removeFolder(folder: string): void {
  folders.delete(folder)
  if (folders.size === 0) process.removeListener('exit', removeAll)
  rmSync(folder, { recursive: true, force: true })
}

/** Our password, or else whatever the user's own password file says: the catch-all line below it must not hide that. */
function ownLines(call: LibraryCall): string {
  if (call.password !== undefined) return `${passLine(call.password)}\n`
  try {
    const own = readFileSync(process.env.PGPASSFILE ?? join(homedir(), '.pgpass'), 'utf8')
    return own.endsWith('\n') || own === '' ? own : `${own}\n`
  } catch {
    return ''
  }
}

function environment(call: LibraryCall, passfile: string): Record<string, string | undefined> {
  return {
    ...sessionVariables(call),
    ...parameterVariables(call.connection),
    PATH: `${call.programs}:${process.env.PATH ?? ''}`,
    PGPASSFILE: passfile,
    // These would win over the file, and over the encoding of the database.
    ...(call.password !== undefined && { PGPASSWORD: undefined }),
    PGCLIENTENCODING: undefined,
    PGDATABASE: undefined,
    // Only English can be read while it runs.
    ...(call.onLine && { LC_ALL: 'C' }),
  }
}

/**
 * The package takes its environment from this process and starts its child before its first await. So the variables are set for just
 * that moment, in which nothing else can run, and Node's own channel tells which child was made (the package hands out none).
 */
function spawnWith(
  variables: Record<string, string | undefined>,
  run: () => Promise<unknown>,
): { child: ChildProcess | undefined; done: Promise<unknown> } {
  let child: ChildProcess | undefined
  const notice = (message: unknown): void => {
    child = (message as { process: ChildProcess }).process
  }
  const before = Object.fromEntries(Object.keys(variables).map((name) => [name, process.env[name]]))
  subscribe('child_process', notice)
  try {
    setEnvironment(variables)
    const done = run()
    return { child, done }
  } finally {
    setEnvironment(before)
    unsubscribe('child_process', notice)
  }
}

function setEnvironment(variables: Record<string, string | undefined>): void {
  for (const [name, value] of Object.entries(variables)) {
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- assigning undefined would set the text 'undefined'
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
}

/** Milliseconds that workers get to end after the one that started them. */
const WORKERS_MS = 1000

/**
 * Workers of a pg_restore that was killed (by the kernel, for memory) go on alone, and keep open what it wrote to: the package would
 * wait for them. Their sessions end when the database that they fill is dropped.
 */
function letGoOfWorkers(child: ChildProcess | undefined): void {
  child?.once('exit', () => {
    const timer = setTimeout(() => {
      for (const stream of [child.stdout, child.stderr]) stream?.destroy()
    }, WORKERS_MS)
    child.once('close', () => clearTimeout(timer))
  })
}

/** Asks first: pg_restore ends its own workers only when it may end by itself. */
function terminate(child: ChildProcess | undefined): void {
  child?.kill('SIGTERM')
  setTimeout(() => {
    if (child?.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
  }, 5000).unref()
}

const smallTalk = new RegExp(SMALL_TALK)

function scrub(error: unknown, password: Password | undefined): LibraryFailure {
  const { exitCode, stderr, code } = error as { exitCode?: number; stderr?: string; code?: string }
  const said =
    stderr === undefined || stderr.trim() === ''
      ? `could not be started (${code ?? 'unknown error'})`
      : stderr
  const lines = withoutPassword(said, password)
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '' && !smallTalk.test(line))
  return new LibraryFailure(exitCode ?? null, lines.slice(-20))
}
