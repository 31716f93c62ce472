// What a command costs before it does anything: CPU time (user + system) of whole processes, the least of alternating runs, as a
// ratio to `node -e 0` in the same round. Measured on the package as it is published. `npm run bench:startup [runs]`.
// Then the same on the other Nodes that `npm test` fetches, each against its own `node -e 0`: what it brings that they read TypeScript
// themselves, and what their compile cache would bring.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

interface Case {
  readonly name: string
  /** The most that it may cost; absent where there is only something to compare with. */
  readonly limit?: number
  readonly argv: readonly string[]
  readonly before?: () => void
  readonly env?: NodeJS.ProcessEnv
}

const root = fileURLToPath(new URL('../../../..', import.meta.url))
const runs = Number(process.argv[2] ?? 15)
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'deployfile-startup-')))

try {
  const { stageProject } = (await import(pathToFileURL(join(root, 'scripts/pack/project.mjs')).href)) as {
    stageProject: (root: string, folder: string) => Promise<string>
  }
  const bin = await stageProject(root, folder)
  const node = process.execPath
  const forget = (): void => {
    rmSync(join(folder, 'node_modules/.cache'), { recursive: true, force: true })
  }
  const cases: readonly Case[] = [
    { name: 'node -e 0', argv: [node, '-e', '0'] },
    { name: '--help', limit: 1.6, argv: [node, bin, '--help'] },
    { name: '-T, first time', limit: 7, argv: [node, bin, '-T'], before: forget },
    { name: '-T, then', limit: 2.8, argv: [node, bin, '-T'] },
    ...(spawnSync('cap', ['--version']).status === 0 ? [{ name: 'cap -T', argv: ['cap', '-T'] }] : []),
  ]
  measure(cases)

  const { findNode, OTHER_NODES } = (await import(
    pathToFileURL(join(root, 'scripts/services/nodes.mjs')).href
  )) as { findNode: (major: string) => string | undefined; OTHER_NODES: readonly string[] }
  for (const major of OTHER_NODES) {
    const found = findNode(major)
    console.log(found === undefined ? `\nNode ${major} is not here: npm test fetches it.` : `\nNode ${major}`)
    if (found === undefined) continue
    const other = join(found, 'node')
    const compileCache = { NODE_COMPILE_CACHE: join(folder, 'compile-cache', major) }
    const jiti = ['--no-experimental-strip-types', bin, '-T']
    measure([
      { name: 'node -e 0', argv: [other, '-e', '0'] },
      { name: '--help', argv: [other, bin, '--help'] },
      { name: '--help, compile cache', argv: [other, bin, '--help'], env: compileCache },
      { name: '-T, as it is', argv: [other, bin, '-T'], before: forget },
      { name: '-T, compile cache', argv: [other, bin, '-T'], before: forget, env: compileCache },
      { name: '-T, jiti, first time', argv: [other, ...jiti], before: forget },
      { name: '-T, jiti, then', argv: [other, ...jiti] },
    ])
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** Milliseconds of CPU: bash tells what the processes that it waited for have used. */
function cpuOf(argv: readonly string[], env: NodeJS.ProcessEnv = {}): number {
  const script = 'TIMEFORMAT="%U %S"; time "$@" >/dev/null 2>/dev/null'
  const { stderr } = spawnSync('bash', ['-c', script, 'bash', ...argv], {
    cwd: folder,
    env: { ...process.env, ...env },
    encoding: 'utf8',
  })
  const [user = NaN, system = NaN] = (stderr.trim().split('\n').at(-1) ?? '').split(' ').map(Number)
  return (user + system) * 1000
}

/** Prints a line for each, as a ratio to the first. */
function measure(cases: readonly Case[]): void {
  const best = new Map<string, number>()
  for (let run = 0; run < runs; run++) {
    for (const { name, argv, before, env } of cases) {
      before?.()
      best.set(name, Math.min(best.get(name) ?? Infinity, cpuOf(argv, env)))
    }
  }
  const base = best.get(cases[0]?.name ?? '') ?? NaN
  for (const { name, limit } of cases) {
    const time = best.get(name) ?? NaN
    const ratio = time / base
    const verdict = limit === undefined ? '' : `  at most ${String(limit)} ${ratio <= limit ? '✔' : '✘'}`
    console.log(`${name.padEnd(22)} ${time.toFixed(0).padStart(5)} ms  ${ratio.toFixed(2)}${verdict}`)
    if (limit !== undefined && ratio > limit) process.exitCode = 1
  }
}
