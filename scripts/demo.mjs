// npm run demo: deploys examples/disastrously-rails to two "hosts" that are folders in .demo/, moves a database, and checks every claim.
// It needs Node, npm and git; PostgreSQL's client programs for the database's part. It leaves nothing outside this clone.
import { delimiter, join } from 'node:path'
import { clone, commitVersion, deployTo, hosts, makeRepository, prepareHost } from './demo/parts.mjs'
import { startAfresh, startAppServer, work, writeDatabaseFile, writeParts } from './demo/parts.mjs'
import { fetchServer, findClient, placeServer, startCluster } from './demo/postgres.mjs'
import { catchSignals, cleanUp, Interrupted, run } from './demo/process.mjs'
import { claim, DemoFailed, heading, say, typed } from './demo/screen.mjs'
import { installedAsLocked } from './test/installed.mjs'

const started = Date.now()

/** Runs a command of deployfile from the root of this clone. It is what npx finds and runs, which keeps signals to itself. */
async function deployfile(...args) {
  typed(`npx deployfile ${args.join(' ')}`)
  await run(join(clone, 'node_modules/.bin/deployfile'), args, { show: true, cwd: clone })
}

async function install() {
  if (!installedAsLocked(clone)) {
    // No install scripts: nothing here needs one, and the optional native parts of ssh2 would want a compiler.
    typed('npm ci --ignore-scripts')
    const quiet = ['--no-audit', '--no-fund', '--loglevel=error']
    await run('npm', ['ci', '--ignore-scripts', ...quiet], { show: true, cwd: clone })
  }
  typed('npm run build')
  await run('npm', ['run', '--silent', 'build'], { show: true, cwd: clone })
}

/** The database servers, or undefined (and what to do about it) where there are no client programs. */
async function startDatabases(client) {
  if (!client) {
    say('PostgreSQL’s pg_dump, pg_restore and psql are neither on PATH nor in /usr/lib/postgresql/*/bin.')
    say('Left out: migrations, db:backup:create and db:backup:restore_from_prod. To see them as well:')
    say('  apt-get install postgresql-client        (macOS: brew install libpq)')
    return undefined
  }
  const { version, files } = await fetchServer(client.major, join(clone, '.demo/postgres'))
  const place = placeServer(files)
  writeParts({ servers: place.home })
  const production = await startCluster(place, 'production', client)
  const dev = await startCluster(place, 'dev', client)
  writeParts({ servers: place.home, databases: { dev, production } })
  say(
    `Two servers of PostgreSQL ${version.split('-')[0]} from npm, to go with the pg_dump in ${client.folder}`,
  )
  return { dev, production }
}

const psql = (url, sql) => run('psql', ['--no-psqlrc', '-v', 'ON_ERROR_STOP=1', '-qAt', url, '-c', sql])

/** Every table with its number of rows and a digest of what is in them. */
async function contents(url) {
  const tables = await psql(url, "select tablename from pg_tables where schemaname = 'public' order by 1")
  const digests = tables.split('\n').filter(Boolean)
  const rows = "count(*), md5(string_agg(t::text, E'\\n' order by t::text))"
  return await Promise.all(digests.map((table) => psql(url, `select '${table}', ${rows} from "${table}" t`)))
}

async function ask(server) {
  const answer = await fetch(`${server}/status.json`)
  const text = await answer.text()
  if (!answer.ok) throw new DemoFailed(`The app answers ${answer.status}: ${text}`)
  return JSON.parse(text)
}

async function claimServed(servers, revision, version) {
  for (const host of hosts) {
    const status = await ask(servers[host])
    claim(
      `${host} serves ${version}, revision ${revision.slice(0, 10)}`,
      [status.version, status.revision],
      [version, revision],
    )
  }
}

async function main() {
  heading('Preparing')
  startAfresh()
  await install()
  const client = findClient()
  // The app and its migrations use psql too.
  if (client) process.env.PATH = `${client.folder}${delimiter}${process.env.PATH}`
  const databases = await startDatabases(client)
  const first = await makeRepository()
  const servers = {}
  for (const host of hosts) {
    prepareHost(host, databases?.production)
    servers[host] = await startAppServer(host)
    say(`${host}: ${deployTo(host)}, served at ${servers[host]}`)
  }

  heading(databases ? 'A first release, with its migrations' : 'A first release')
  await deployfile('production', databases ? 'deploy:migrations' : 'deploy', '--yes')
  await claimServed(servers, first, '1.0.0')
  if (databases) await haveCustomers(databases, servers)

  heading('A second release, after a new commit on master')
  const second = await commitVersion('1.1.0')
  await deployfile('production', 'deploy', '--yes')
  await claimServed(servers, second, '1.1.0')

  if (databases) await moveDatabase(databases)

  heading('That release was bad: back to the one before')
  await deployfile('production', 'deploy:rollback', '--yes')
  await claimServed(servers, first, '1.0.0')
  say(
    `\nAll of it is true. ${((Date.now() - started) / 1000).toFixed(1)} s; what was made stays in .demo/ until the next time.`,
  )
}

/** Rows in production, and a developer's database that has the same tables but none of them. */
async function haveCustomers({ dev, production }, servers) {
  await psql(
    production,
    "insert into disasters (name, happened_on) select 'Disaster ' || n, date '2026-01-01' + n from generate_series(1, 200) n",
  )
  await psql(
    production,
    "insert into reports (disaster_id, body) select d.id, 'Seen by witness ' || n from disasters d, generate_series(1, 50) n",
  )
  for (const host of hosts) {
    const status = await ask(servers[host])
    claim(`${host} sees production’s 200 disasters and 10000 reports`, status.rows, {
      disasters: 200,
      reports: 10_000,
    })
  }
  writeDatabaseFile(work, dev)
  await run('bin/rake', ['db:migrate'], { cwd: work })
}

async function moveDatabase({ dev, production }) {
  heading('A backup of production')
  await deployfile('production', 'db:backup:create')

  heading('A developer’s database is damaged, and restored from production')
  typed(`psql '${dev}' -c 'drop table reports'`)
  say(await run('psql', [dev, '-c', 'drop table reports']))
  const before = await contents(production)
  await deployfile('db:backup:restore_from_prod', 'stage=dev')
  claim('dev has the rows of production, table for table', await contents(dev), before)
  claim('production has what it had', await contents(production), before)
}

catchSignals()
try {
  await main()
} catch (error) {
  const expected = error instanceof DemoFailed || error instanceof Interrupted
  console.error(`\nThe demo ended early: ${expected ? error.message : error.stack}`)
  process.exitCode = error.exitCode ?? 1
} finally {
  await cleanUp()
}
