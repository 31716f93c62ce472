import { execFile, execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startOwnProcess } from './own-process.ts'
import { withFreePort } from './port.ts'
import { requireService } from './service.ts'
import { placeServer } from './place-server.ts'
import { tempFolder } from './temp.ts'

export interface PostgresServer extends AsyncDisposable {
  readonly host: '127.0.0.1'
  readonly port: number
  readonly pid: number
  /** For `host=` of a connection over the Unix socket. */
  readonly socketDir: string
  readonly dataDir: string
  /** The folder of psql, pg_dump and the others, all of one major version. */
  readonly bin: string
  readonly superuser: 'postgres'
  /** With `auth: 'scram'` only. It is not in `url()`. */
  readonly password: string | undefined
  url(database?: string): string
  /** Runs SQL as the superuser; rows one a line, columns divided by `|`. Rejects with the server's message. */
  psql(sql: string, database?: string): Promise<string>
  log(): string
  stop(): Promise<void>
}

export interface PostgresOptions {
  readonly auth?: 'trust' | 'scram'
  /** The folder of a server's files, by `findServer`. Default: the distribution's server. The client programs are that one's anyway. */
  readonly files?: string
  /** Further settings, as in postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>
}

const exec = promisify(execFile)

/** A cluster of its own: made for the test, on a private port and socket, gone with it. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const bin = requireService('postgres')
  const owner = unprivilegedOwner()
  // As root from /tmp: TMPDIR may be below a folder that the unprivileged owner can't enter.
  const folder = tempFolder('postgres', owner ? '/tmp' : tmpdir())
  try {
    chmodSync(folder.path, 0o711)
    const dataDir = ownedFolder(join(folder.path, 'data'), 0o700, owner)
    const socketDir = ownedFolder(join(folder.path, 'run'), 0o711, owner)
    const password = options.auth === 'scram' ? randomBytes(12).toString('hex') : undefined
    const serverBin = options.files === undefined ? bin : placeServer(options.files, folder.path)
    makeCluster(serverBin, folder.path, dataDir, password, owner)
    const server = await withFreePort(async (port) => ({
      port,
      process: await startOwnProcess({
        program: join(serverBin, 'postgres'),
        args: [
          '-D',
          dataDir,
          ...settings({
            ...DEFAULTS,
            port: String(port),
            unix_socket_directories: socketDir,
            ...options.settings,
          }),
        ],
        ready: /database system is ready to accept connections/,
        // "Fast": connections are closed, and the data is left in order.
        stopSignal: 'SIGINT',
        folder: folder.path,
        cwd: folder.path,
        env: cleanEnvironment(),
        ...owner,
      }),
    }))
    const stop = async (): Promise<void> => {
      await server.process.stop()
      await folder.remove()
    }
    return {
      host: '127.0.0.1',
      port: server.port,
      pid: server.process.pid,
      socketDir,
      dataDir,
      bin,
      superuser: 'postgres',
      password,
      url: (database = 'postgres') =>
        `postgresql://postgres@127.0.0.1:${server.port}/${encodeURIComponent(database)}`,
      async psql(sql, database = 'postgres') {
        const connect = ['-h', '127.0.0.1', '-p', String(server.port), '-U', 'postgres']
        const args = ['--no-psqlrc', '--no-password', '-v', 'ON_ERROR_STOP=1', '-qAt', ...connect, '-c', sql]
        // By the environment, because `-d` takes a name with `=` in it for a connection string.
        const env = {
          ...cleanEnvironment(),
          PGDATABASE: database,
          ...(password === undefined ? {} : { PGPASSWORD: password }),
        }
        const { stdout } = await exec(join(bin, 'psql'), args, { env, maxBuffer: 64 * 1024 * 1024 })
        return stdout.trimEnd()
      },
      log: () => server.process.log(),
      stop,
      [Symbol.asyncDispose]: stop,
    }
  } catch (error) {
    await folder.remove()
    throw error
  }
}

const DEFAULTS = {
  listen_addresses: '127.0.0.1',
  // Nothing here outlives a crash, and waiting for the disk is most of what a small test would do.
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  shared_buffers: '16MB',
  max_connections: '50',
}

function settings(values: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}

interface Owner {
  readonly uid: number
  readonly gid: number
}

/** PostgreSQL refuses to run as root; nobody is on every machine and owns nothing. Undefined: run as who we are. */
function unprivilegedOwner(): Owner | undefined {
  if (process.getuid?.() !== 0) return undefined
  const id = (kind: string): number => Number(execFileSync('id', [kind, 'nobody'], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

function ownedFolder(path: string, mode: number, owner: Owner | undefined): string {
  mkdirSync(path)
  chmodSync(path, mode)
  if (owner) chownSync(path, owner.uid, owner.gid)
  return path
}

function makeCluster(
  bin: string,
  cwd: string,
  dataDir: string,
  password: string | undefined,
  owner: Owner | undefined,
): void {
  // The C locale, so that what the server says can be read by tests in every country.
  const args = ['-D', dataDir, '-U', 'postgres', '--encoding=UTF8', '--locale=C', '--no-sync']
  if (password === undefined) args.push('--auth=trust')
  else {
    const file = join(cwd, 'password')
    writeFileSync(file, password, { mode: 0o600 })
    if (owner) chownSync(file, owner.uid, owner.gid)
    args.push('--auth=scram-sha-256', `--pwfile=${file}`)
  }
  execFileSync(join(bin, 'initdb'), args, {
    cwd,
    env: cleanEnvironment(),
    stdio: ['ignore', 'ignore', 'pipe'],
    ...owner,
  })
}

/** Without the developer's own PGHOST, PGPASSWORD, … : the tests' server is the only one they may reach. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('PG') && !name.startsWith('LC_'),
  )
  return { ...Object.fromEntries(kept), LC_ALL: 'C' }
}
