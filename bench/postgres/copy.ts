// `npm run bench:postgres [-- megabytes [rounds]]`: production's database to dev through a real sshd, beside the best that a person
// would type (which hashes, syncs and analyzes as well) and what the Capistrano plugin does.
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Host } from '@deployfile/core'
import { parseDatabaseUrl, restoreFrom, type Site } from '@deployfile/postgres'
import { createShells } from '@deployfile/shell'
import { startPostgres, type PostgresServer } from '../../test/servers/postgres.ts'
import { compare, print } from '../shell/ratio.ts'
import { startServer, typed } from '../shell/server.ts'
import { fill } from './sample.ts'

const MEGABYTES = Number(process.argv[2] ?? 1000)
const ROUNDS = Number(process.argv[3] ?? 2)

// As a server is set up: what is written is on the disk when it says so.
const settings = {
  ...{ fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' },
  ...{ shared_buffers: '128MB', maintenance_work_mem: '64MB', max_wal_size: '2GB' },
  ...{ log_statement: 'ddl', log_line_prefix: '%m ' },
}
await using production = await startPostgres({ settings })
await using dev = await startPostgres({ settings })
await using server = await startServer()
const { here, there, shell } = server

await production.psql('CREATE DATABASE shop')
await fill(production, 'shop', MEGABYTES)
await dev.psql('CREATE DATABASE shop_dev')
const size = await production.psql("SELECT pg_size_pretty(pg_database_size('shop'))")

const ssh = `ssh ${server.ssh.map((word) => `'${word}'`).join(' ')}`
const to = `-h 127.0.0.1 -U postgres -p ${dev.port}`
const from = `-h 127.0.0.1 -U postgres -p ${production.port}`
const path = `export PATH=${dev.bin}:$PATH`
const empty = (): void => {
  for (const folder of [here, there]) {
    for (const name of readdirSync(folder).filter((entry) => /dump|gz$|deployfile/.test(entry)))
      rmSync(join(folder, name), { recursive: true, force: true })
  }
}

const figures = await compare(ROUNDS, [
  {
    name: 'pg_dump -Z1, ssh, sha256sum, sync, pg_restore -j2, vacuumdb -Z, rename',
    before: empty,
    run: () =>
      typed(`${path}; cd '${here}'
        ${ssh} '${production.bin}/pg_dump -Fc -Z1 ${from} shop' > shop.dump; sha256sum shop.dump; sync shop.dump
        dropdb ${to} --if-exists shop_new; createdb ${to} -T template0 shop_new
        pg_restore ${to} -j2 -e --no-owner --no-acl -d shop_new shop.dump
        vacuumdb ${to} -q -Z -d shop_new
        psql ${to} -q -d postgres -c 'ALTER DATABASE shop_dev RENAME TO shop_old' -c 'ALTER DATABASE shop_new RENAME TO shop_dev'
        dropdb ${to} shop_old`),
  },
  { name: 'restoreFrom', before: empty, run: ours },
  {
    name: "the Capistrano plugin's: pg_dump | gzip, scp, dropdb, psql",
    before: empty,
    run: () =>
      typed(`${path}; cd '${here}'
        ${ssh} '${production.bin}/pg_dump ${from} shop | gzip > ${there}/shop.sql.gz'
        ${ssh} 'cat ${there}/shop.sql.gz' > shop.sql.gz
        dropdb ${to} shop_dev; createdb ${to} shop_dev
        gunzip -c shop.sql.gz | psql ${to} -q -d shop_dev > /dev/null`),
  },
])
print(`${size} from production to dev`, figures)
console.log(`  peak of this process ${(process.resourceUsage().maxRSS / 1000).toFixed(0)} MB RSS`)
console.log(`  the swap kept clients away for ${closedFor(dev).join(', ')} ms`)

async function ours(): Promise<void> {
  const signal = new AbortController().signal
  const shells = createShells({ root: here })
  const host: Host = {
    ...{ name: 'dev', stage: 'dev', roles: [], transport: 'local', address: 'dev' },
    ...{ primary: true, props: {} },
  }
  const local = shells.remote(host, { signal, emit: () => undefined })
  const quiet = { signal, log: () => undefined, progress: () => undefined }
  const site = (url: string, more: Pick<Site, 'shell' | 'folder'>): Site => ({
    ...{ connection: parseDatabaseUrl(url).connection, ...quiet, ...more },
  })
  mkdirSync(join(here, 'deployfile'), { recursive: true })
  await restoreFrom({
    from: site(production.url('shop'), { shell, folder: join(there, 'deployfile') }),
    to: site(dev.url('shop_dev'), { shell: local, folder: join(here, 'deployfile') }),
    ...{ local, folder: join(here, 'deployfile'), application: 'shop' },
    ...{ fromStage: 'production', toStage: 'dev' },
    production: [{ stage: 'production', database: 'shop', identity: { system: '1', oid: 1 } }],
    confirm: () => Promise.resolve(),
  })
  await shells.close()
}

/** From the moment in which the live database is closed to the one in which the other has its name, by the server's own log. */
function closedFor(server: PostgresServer): readonly number[] {
  const times: number[] = []
  let closed: number | undefined
  for (const line of server.log().split('\n')) {
    const [, time = '', statement = ''] = /^(\S+ \S+) \S+ LOG: {2}statement: (.*)$/.exec(line) ?? []
    const at = Date.parse(`${time.replace(' ', 'T')}Z`)
    if (/^ALTER DATABASE "shop_dev" WITH ALLOW_CONNECTIONS false/.test(statement)) closed = at
    if (closed !== undefined && /^ALTER DATABASE ".*_restore_.*" RENAME TO "shop_dev"/.test(statement)) {
      times.push(at - closed)
      closed = undefined
    }
  }
  return times
}
