// `npm run test:versions`: backups and restores on the servers of PostgreSQL 15 to 18. `npm test` tries the newest of them only.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { ALL, provideServers } from './services/servers.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const provided = provideServers(ALL)
if (provided !== 0) process.exit(provided)
const args = [
  'node_modules/vitest/vitest.mjs',
  'run',
  '--project',
  'integration',
  'packages/postgres/integration/versions',
]
const { status } = spawnSync(process.execPath, args, {
  cwd: root,
  env: { ...process.env, DEPLOYFILE_TEST_VERSIONS: ALL.join(' ') },
  stdio: 'inherit',
})
process.exit(status ?? 1)
