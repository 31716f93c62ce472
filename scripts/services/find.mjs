import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, realpathSync } from 'node:fs'
import { delimiter, dirname, isAbsolute, join } from 'node:path'

const POSTGRES_PROGRAMS = ['initdb', 'postgres', 'pg_dump', 'pg_restore', 'psql']

/**
 * The real servers on this machine: `sshd` is the absolute path of OpenSSH's server (it re-executes itself and refuses
 * anything else), `postgres` the folder that holds the server's programs and the client's of the same major version. `passenger`
 * is Apache's program where the module of Phusion Passenger is beside it. `sudo`, `rsync`, `git-lfs` and `capistrano` are no servers,
 * but nothing else can stand in for them.
 */
export function findServices() {
  return {
    sshd: findSshd(),
    postgres: findPostgres(),
    sudo: findSudo(),
    rsync: findRsync(),
    puma: findOnPath('puma'),
    unicorn: findOnPath('unicorn'),
    systemd: findSystemd(),
    'git-lfs': findOnPath('git-lfs'),
    capistrano: findCapistrano(),
    passenger: findPassenger(),
    // gpg makes and uses a key of its own only with it.
    gnupg: findOnPath('gpg-agent'),
    // Shells that complete words of the command line.
    zsh: findOnPath('zsh'),
    fish: findOnPath('fish'),
  }
}

export function findSshd() {
  const folders = ['/usr/sbin', '/usr/local/sbin', ...pathFolders()]
  return folders.map((folder) => join(folder, 'sshd')).find(isOpenSshServer)
}

export function findSudo() {
  return ['/usr/bin', '/usr/local/bin'].map((folder) => join(folder, 'sudo')).find(prints)
}

/** The manager itself; it need not be what this machine was started with. */
export function findSystemd() {
  return ['/usr/lib/systemd/systemd', '/lib/systemd/systemd'].find(prints)
}

export function findRsync() {
  return findOnPath('rsync')
}

export function findOnPath(name) {
  return pathFolders()
    .map((folder) => join(folder, name))
    .find(prints)
}

/** Debian's own: a gem's `cap` of another version may stand before it on PATH. */
export function findCapistrano() {
  return ['/usr/bin/cap'].find(prints)
}

export function findPassenger() {
  const files = [
    '/usr/sbin/apache2',
    '/usr/lib/apache2/modules/mod_passenger.so',
    '/usr/bin/passenger-config',
  ]
  return files.every(existsSync) ? files[0] : undefined
}

export function findPostgres() {
  // On Debian the server's programs are outside PATH, and the client's on PATH are a wrapper that picks a version:
  // the versioned folders first, newest first.
  const initdbs = pathFolders()
    .map((folder) => join(folder, 'initdb'))
    .filter(existsSync)
  const folders = [
    ...versionedFolders('/usr/lib/postgresql'),
    ...initdbs.map((file) => dirname(realpathSync(file))),
  ]
  return folders.find((folder) => POSTGRES_PROGRAMS.every((program) => prints(join(folder, program))))
}

function versionedFolders(parent) {
  if (!existsSync(parent)) return []
  return readdirSync(parent)
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(parent, version, 'bin'))
}

function pathFolders() {
  return (process.env.PATH ?? '').split(delimiter).filter(isAbsolute)
}

/** A file is not yet a program: links outlive what they led to, and libraries go missing. So each one is run. */
function prints(program) {
  return (
    existsSync(program) &&
    spawnSync(program, ['--version'], { stdio: 'ignore', timeout: 10_000 }).status === 0
  )
}

function isOpenSshServer(program) {
  if (!existsSync(program)) return false
  // Before 9.4 `-V` is an unknown option: exit code 1, but the version is in the complaint.
  const { stderr } = spawnSync(program, ['-V'], { encoding: 'utf8', timeout: 10_000 })
  return /OpenSSH/.test(stderr ?? '')
}
