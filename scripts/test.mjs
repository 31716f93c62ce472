// `npm test`: from a fresh clone to vitest's summary. Plain Node without a dependency, because it runs before any is there.
// Arguments go to vitest: `npm test -- --project unit`, `npm test -- -t rollback`.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { findServices } from './services/find.mjs'
import { provideNodes } from './services/nodes.mjs'
import { providePm2 } from './services/pm2.mjs'
import { provideServices } from './services/provide.mjs'
import { NEWEST, provideServers } from './services/servers.mjs'
import { installedAsLocked } from './test/installed.mjs'
import { needsServices } from './test/projects.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const args = process.argv.slice(2)
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'

const step = (text) => console.log(`\n▸ ${text}`)

/** Runs a program in the foreground. A signal to us is a signal to it: we stay until it is gone, and end as it did. */
function run(command, argv, env = process.env) {
  return new Promise((done) => {
    const child = spawn(command, argv, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] })
    const pass = (signal) => child.kill(signal)
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
    for (const signal of signals) process.on(signal, pass)
    const end = (code) => {
      for (const signal of signals) process.off(signal, pass)
      done(code)
    }
    child.on('error', (error) => {
      console.error(`${command} did not start: ${error.message}`)
      end(127)
    })
    child.on('close', (code, signal) => end(code ?? { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }[signal] ?? 1))
  })
}

async function main() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19)) {
    console.error(`Node ${process.versions.node} is too old: deployfile needs Node 20.19 or newer.`)
    return 1
  }

  if (!installedAsLocked(root)) {
    step('Installing what package-lock.json names (npm ci)')
    // No install scripts: nothing here needs one, and the optional native parts of ssh2 would want a compiler.
    const code = await run(npm, ['ci', '--ignore-scripts', '--no-audit', '--no-fund'])
    if (code !== 0) return code
  }

  step('Building the packages (npm run build)')
  const built = await run(npm, ['run', '--silent', 'build'])
  if (built !== 0) return built

  if (needsServices(args)) {
    step('Looking for the services that integration and e2e tests start themselves')
    const provided = await provideServices()
    if (provided !== 0) return provided

    step('Looking for the other versions of Node that what is published is tried on')
    const nodes = provideNodes()
    if (nodes !== 0) return nodes

    step('Looking for the PostgreSQL server that is newer than client programs are')
    const servers = provideServers([NEWEST])
    if (servers !== 0) return servers

    step('Looking for the PM2 that pm2() is tried with')
    const pm2 = providePm2()
    if (pm2 !== 0) return pm2
  }

  step(`Running the tests (vitest run${args.map((arg) => ` ${arg}`).join('')})`)
  const found = Object.fromEntries(
    Object.entries(findServices()).map(([name, path]) => [
      `DEPLOYFILE_TEST_${name.toUpperCase().replace('-', '_')}`,
      path ?? 'none',
    ]),
  )
  return run(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...args], {
    ...process.env,
    ...found,
  })
}

process.exitCode = await main()
