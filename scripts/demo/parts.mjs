// Everything that the demo deploys from and to, below .demo/ in the clone.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { keepRunning, run } from './process.mjs'

export const clone = fileURLToPath(new URL('../..', import.meta.url))
export const demo = join(clone, '.demo')
/** The hosts of production: folders that play the part of machines. */
export const hosts = ['web1', 'web2']
export const deployTo = (host) => join(demo, 'hosts', host, 'www/disastrously')
const repository = join(demo, 'repository.git')
/** A developer's checkout. */
export const work = join(demo, 'work')
const partsFile = join(demo, 'parts.json')

/** An empty .demo/, also after a demo that was killed and left its database servers running. */
export function startAfresh() {
  if (existsSync(partsFile)) stopLeftOvers(JSON.parse(readFileSync(partsFile, 'utf8')).servers)
  rmSync(demo, { recursive: true, force: true })
  for (const host of [...hosts, 'localhost']) mkdirSync(join(demo, 'hosts', host), { recursive: true })
}

function stopLeftOvers(servers) {
  if (!servers?.startsWith(join(tmpdir(), 'deployfile-demo-')) || !existsSync(servers)) return
  for (const name of readdirSync(servers)) {
    const pidFile = join(servers, name, 'data/postmaster.pid')
    if (!existsSync(pidFile)) continue
    const pid = Number.parseInt(readFileSync(pidFile, 'utf8'), 10)
    // The number may belong to another program by now.
    if (commandLine(pid).includes(servers)) process.kill(pid, 'SIGQUIT')
  }
  rmSync(servers, { recursive: true, force: true })
}

function commandLine(pid) {
  try {
    return execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' })
  } catch {
    return ''
  }
}

/** What deploy.config.ts cannot know before: the addresses of the databases. */
export function writeParts(parts) {
  writeFileSync(partsFile, `${JSON.stringify(parts, null, 2)}\n`)
}

async function git(...args) {
  const person = ['-c', 'user.name=Demo', '-c', 'user.email=demo@example.com', '-c', 'commit.gpgsign=false']
  return await run('git', [...person, '-c', 'core.hooksPath=/dev/null', ...args], { cwd: work })
}

/** A bare repository with the branches master and staging, and a checkout of it, made from examples/disastrously-rails. */
export async function makeRepository() {
  // What git leaves out there (a developer's own log, tmp, node_modules) stays out here.
  const ignored = new Set(['node_modules', '.deployfile', 'log', 'tmp', 'database.env'])
  cpSync(join(clone, 'examples/disastrously-rails'), work, {
    recursive: true,
    filter: (path) => !ignored.has(basename(path)),
  })
  await git('init', '--quiet')
  await git('symbolic-ref', 'HEAD', 'refs/heads/master')
  await git('add', '--all')
  await git('commit', '--quiet', '--message', 'Disastrously 1.0.0')
  await git('branch', 'staging')
  await run('git', ['init', '--quiet', '--bare', repository])
  await run('git', ['--git-dir', repository, 'symbolic-ref', 'HEAD', 'refs/heads/master'])
  await git('remote', 'add', 'origin', repository)
  await git('push', '--quiet', 'origin', 'master', 'staging')
  return await git('rev-parse', 'HEAD')
}

/** The next version of the app, pushed to master. Returns the commit. */
export async function commitVersion(version) {
  const file = join(work, 'package.json')
  const manifest = JSON.parse(readFileSync(file, 'utf8'))
  writeFileSync(file, `${JSON.stringify({ ...manifest, version }, null, 2)}\n`)
  await git('commit', '--quiet', '--all', '--message', `Disastrously ${version}`)
  await git('push', '--quiet', 'origin', 'master')
  return await git('rev-parse', 'HEAD')
}

/** What whoever runs a host puts there once: the file that says where the database is. */
export function prepareHost(host, databaseUrl) {
  writeDatabaseFile(join(deployTo(host), 'shared'), databaseUrl)
}

export function writeDatabaseFile(folder, databaseUrl) {
  mkdirSync(join(folder, 'config'), { recursive: true })
  writeFileSync(join(folder, 'config/database.env'), `DATABASE_URL=${databaseUrl ?? ''}\n`, { mode: 0o640 })
}

/** The host's app server. Returns its address. */
export async function startAppServer(host) {
  const server = fileURLToPath(new URL('app-server.mjs', import.meta.url))
  const { match } = await keepRunning(process.execPath, [server, deployTo(host)], { ready: /^(\d+)$/m })
  return `http://127.0.0.1:${match[1]}`
}
