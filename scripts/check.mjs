// `npm run check`: everything that must hold besides the tests, in a fixed order.
// Each step runs even when one before it failed, so that one run shows all there is to repair;
// only a build that fails ends it, because nearly all that follows would fail for the same reason.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { packedPackages } from './check/packed.mjs'
import { checkCompileCost, checkDeclarations } from './check/compiled-config.mjs'
import { checkFileLengths } from './check/file-lengths.mjs'
import { checkLockfile } from './check/lockfile.mjs'
import { checkStartImports } from './check/start-imports.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Runs a program of node_modules/.bin; true when it ended well. */
function tool(name, ...args) {
  const { status, error } = spawnSync(`${root}node_modules/.bin/${name}`, args, {
    cwd: root,
    stdio: 'inherit',
  })
  if (error) console.error(`${name} did not start (${error.message}). Run "npm ci" first.`)
  return status === 0
}

/** attw prints tables even when all is well: silent first, and at length only where it found something. */
const typesResolve = (file) =>
  tool('attw', file, '--profile', 'esm-only', '--quiet') || (attwTables(file), false)
const attwTables = (file) => tool('attw', file, '--profile', 'esm-only')

/** All must run, so that every package's faults are shown: no short-circuit. */
const every = (items, test) => items.map(test).every(Boolean)

const steps = [
  ['build', () => tool('tsc', '-b', 'tsconfig.build.json')],
  ['types of tests and configs', () => tool('tsc', '-p', 'tsconfig.json')],
  ['cost of compiling a config', () => checkCompileCost(root)],
  ['declarations of a config', () => checkDeclarations(root)],
  ['eslint', () => tool('eslint', '.', '--max-warnings', '0')],
  ['prettier', () => tool('prettier', '--check', '--log-level', 'warn', '.')],
  ['knip', () => tool('knip')],
  ['imports', () => tool('depcruise', '--config', '.dependency-cruiser.cjs', 'packages')],
  [
    'publint',
    () => packedPackages(root, (files) => every(files, (file) => tool('publint', file, '--strict'))),
  ],
  ['are the types wrong', () => packedPackages(root, (files) => every(files, typesResolve))],
  ['what is loaded to start', () => checkStartImports(root)],
  ['file lengths', () => checkFileLengths(root)],
  ['lockfile', () => checkLockfile(root)],
]

const failed = []
for (const [name, run] of steps) {
  console.log(`\n── ${name} ${'─'.repeat(Math.max(0, 76 - name.length))}`)
  const from = performance.now()
  const ok = await run()
  console.log(`${ok ? '✔' : '✘'} ${name} (${((performance.now() - from) / 1000).toFixed(1)} s)`)
  if (ok) continue
  failed.push(name)
  if (name === 'build') break
}

if (failed.length > 0) {
  console.error(`\n✘ npm run check: ${failed.join(', ')} failed; the lines above say where.`)
  process.exitCode = 1
} else {
  console.log('\n✔ npm run check: all is well.')
}
