import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stageProject } from '../pack/project.mjs'

/**
 * What is loaded before anything runs is waited for at every command. With a compiled config: the files of deployfile itself, and no
 * package at all; help needs no config, and so neither zod nor what reads one.
 */
export async function checkStartImports(root) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'deployfile-start-')))
  try {
    const bin = await stageProject(root, folder)
    const cold = run(folder, bin, ['-T'])
    if (cold.status !== 0) throw new Error(`-T failed:\n${cold.stderr}`)
    const faults = [
      ...strange('-T with a compiled config', run(folder, bin, ['-T']), 14),
      ...strange('--help', run(folder, bin, ['--help']), 4),
    ]
    for (const fault of faults) console.error(fault)
    return faults.length === 0
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Node's coverage names every script that was loaded. */
function run(cwd, bin, args) {
  const coverage = mkdtempSync(join(tmpdir(), 'deployfile-coverage-'))
  try {
    const env = { ...process.env, NODE_V8_COVERAGE: coverage }
    const { status, stderr } = spawnSync(process.execPath, [bin, ...args], { cwd, env, encoding: 'utf8' })
    const loaded = readdirSync(coverage).flatMap((name) =>
      JSON.parse(readFileSync(join(coverage, name), 'utf8')).result.map(({ url }) => url),
    )
    return { status, stderr, loaded: loaded.filter((url) => url.startsWith('file:')) }
  } finally {
    rmSync(coverage, { recursive: true, force: true })
  }
}

/** `most` files of ours: each costs about as much as 50 kB of code. */
function strange(what, { loaded, status, stderr }, most) {
  if (status !== 0) return [`${what} ended with ${status}:\n${stderr}`]
  const ours = loaded.filter((url) => url.includes('/node_modules/deployfile/'))
  const others = loaded.filter((url) => !ours.includes(url) && !url.endsWith('/deploy.config.ts'))
  console.log(
    `${what}: ${ours.length} files of ours, at most ${most}; ${others.length} of packages, none may be`,
  )
  return [
    ...others.map((url) => `${what} loads ${url}`),
    ...(ours.length > most ? [`${what} loads ${ours.length} files of ours:\n${ours.join('\n')}`] : []),
    ...(ours.length === 0 ? [`${what} told of nothing that it loaded`] : []),
  ]
}
