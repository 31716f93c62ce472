import { execFileSync } from 'node:child_process'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findNode, OTHER_NODES } from '../../scripts/services/nodes.mjs'
import { makeGitServer } from '../servers/git.ts'
import { start } from './command.ts'
import { EXAMPLE } from './project.ts'

const clone = fileURLToPath(new URL('../..', import.meta.url))
let root: string
let project: string

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'deployfile-packed-'))
  project = join(root, 'project')
  const tarballs = join(root, 'tarballs')
  mkdirSync(tarballs)
  mkdirSync(project)
  const npm = (cwd: string, ...args: string[]): string => execFileSync('npm', args, { cwd, encoding: 'utf8' })
  execFileSync('node', [join(clone, 'scripts/pack/pack.mjs'), tarballs], {
    env: { ...process.env, ...originAt('git@git.example.com:acme/deployfile.git') },
  })
  writeFileSync(join(project, 'package.json'), '{ "name": "empty", "private": true, "type": "module" }\n')
  const files = readdirSync(tarballs).map((file) => join(tarballs, file))
  npm(project, 'install', '--no-audit', '--no-fund', '--loglevel=error', ...files)
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const deployfile = (...args: string[]): ReturnType<typeof start>['ended'] =>
  start('npx', ['deployfile', ...args], { cwd: project, env: { ...process.env, NO_COLOR: '1' } }).ended

/** npx, what it starts, and the program that npm linked are run by the first `node` of PATH. */
const on = (major: string, file: string, ...args: string[]): ReturnType<typeof deployfile> => {
  const folders = [...(OTHER_NODES.includes(major) ? [findNode(major)] : []), process.env['PATH']]
  const env = { ...process.env, NO_COLOR: '1', PATH: folders.join(':') }
  return start(file, args, { cwd: project, env }).ended
}

/** Those of the other Nodes that are here. With CI=true a missing one is an error. */
function othersFound(): readonly string[] {
  const missing = OTHER_NODES.filter((major) => findNode(major) === undefined)
  const text = `what is published is not tried on Node ${missing.join(' and ')}; npm test fetches it`
  if (missing.length > 0 && process.env['CI'] === 'true') throw new Error(`CI=true, and ${text}`)
  if (missing.length > 0) console.warn(`SKIPPED: ${text}`)
  return OTHER_NODES.filter((major) => !missing.includes(major))
}

/** As if the clone came from there: the last word of git's settings is the environment's. */
function originAt(url: string): Readonly<Record<string, string>> {
  return { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'remote.origin.url', GIT_CONFIG_VALUE_0: url }
}

test('each says where its sources are, without which npm proves no origin, and runs nothing when it is installed', () => {
  const names = [
    'deployfile',
    ...['core', 'shell', 'postgres', 'recipes'].map((room) => `@deployfile/${room}`),
  ]
  for (const name of names) {
    const text = readFileSync(join(project, 'node_modules', name, 'package.json'), 'utf8')
    const manifest = JSON.parse(text) as Readonly<Record<'repository' | 'scripts', unknown>>
    expect(manifest.repository, name).toEqual({
      ...{ type: 'git', url: 'git+https://git.example.com/acme/deployfile.git' },
      directory: `packages/${name.split('/').at(-1) ?? ''}`,
    })
    expect(manifest.scripts, name).toBeUndefined()
  }
})

test('the tarballs install together into an empty project, and the command says what is missing', async () => {
  const ended = await deployfile('-T')
  expect(ended).toMatchObject({ code: 2, stdout: '' })
  expect(ended.stderr).toContain('no deploy.config.ts found')
})

test('no compiler of types is installed with them: configs are read without one', () => {
  expect(readdirSync(join(project, 'node_modules'))).not.toContain('typescript')
})

test('with the example’s config, -T lists its tasks', async () => {
  copyFileSync(join(EXAMPLE, 'deploy.config.ts'), join(project, 'deploy.config.ts'))

  const ended = await deployfile('-T')

  expect(ended, ended.output).toMatchObject({ code: 0 })
  const tasks = ended.stdout.split('\n').map((line) => /^\S+ (\S+)/.exec(line)?.[1])
  for (const task of ['deploy', 'deploy:migrations', 'deploy:rollback', 'db:backup:restore_from_prod']) {
    expect(tasks).toContain(task)
  }
})

test('-W names the config’s own lines, also where stacks are read through source maps', async () => {
  for (const options of ['', '--enable-source-maps']) {
    const ended = await start(
      process.execPath,
      [join(project, 'node_modules/.bin/deployfile'), '-W', 'deploy'],
      {
        cwd: project,
        env: { ...process.env, NO_COLOR: '1', NODE_OPTIONS: options },
      },
    ).ended
    expect(ended, ended.output).toMatchObject({ code: 0 })
    const places = ended.stdout.trim().split('\n')
    expect(places.length).toBeGreaterThan(20)
    for (const line of places) expect(line).toMatch(/ deploy\.config\.ts:\d+$/)
  }
})

describe.each([process.versions.node.split('.')[0] ?? '', ...othersFound()])('on Node %s', (major) => {
  // What npx starts, without the seconds that npx takes.
  const linked = (...args: string[]): ReturnType<typeof deployfile> =>
    on(major, join(project, 'node_modules/.bin/deployfile'), ...args)

  test('what init writes is listed and deployed from', async () => {
    const config = join(project, 'deploy.config.ts')
    for (const made of ['deploy.config.ts', '.deployfile', 'hosts'])
      rmSync(join(project, made), { recursive: true, force: true })
    await using git = makeGitServer({ branches: ['main'] })

    const written = await on(
      major,
      'npx',
      'deployfile',
      'init',
      '--yes',
      `repository=${git.repository}`,
      'branch=main',
      'deploy_to=www/app',
      'host=here',
    )
    expect(written, written.output).toMatchObject({ code: 0 })
    // A folder here plays the part of the host.
    mkdirSync(join(project, 'hosts/here'), { recursive: true })
    const text = readFileSync(config, 'utf8')
    expect(text).toContain("'here': { roles: ['app', 'web', 'db'] }")
    writeFileSync(config, text.replace("'here': {", "'here': { transport: 'local', root: 'hosts/here',"))

    const node = await on(major, 'node', '--version')
    expect(node.stdout).toMatch(new RegExp(`^v${major}\\.`))
    const listed = await linked('-T')
    // Not even a warning of Node's, about types that it strips.
    expect(listed, listed.output).toMatchObject({ code: 0, stderr: '' })
    expect(listed.stdout).toContain('deployfile deploy:migrations ')

    const deployed = await linked('production', 'deploy', '--yes')
    expect(deployed, deployed.output).toMatchObject({ code: 0 })
    expect(readFileSync(join(project, 'hosts/here/www/app/current/REVISION'), 'utf8').trim()).toBe(
      git.revision(),
    )

    const again = await linked('production', 'deploy', '--plan')
    expect(again, again.output).toMatchObject({ code: 0, stderr: '' })
    const told = await linked('runs', 'show')
    expect(told.stdout).toContain('production: deploy  done after')
  })
})

test('the whole of zod is there for a config, its other languages too', async () => {
  writeFileSync(
    join(project, 'deploy.config.ts'),
    `import { defineConfig, task } from 'deployfile'
import * as z from 'zod'
enum Place { Here = 'here' }
z.config(z.locales.de())
const input = z.object({ mode: z.enum(['dev', 'prod']).describe('how it is built') })
export default defineConfig({
  stages: { dev: { hosts: { [Place.Here]: { transport: 'local', roles: [] } } } },
  defaultStage: 'dev',
  tasks: [task('build', { desc: 'Build', input, run: () => 1 })],
})
`,
  )
  // The first compiles it, the second runs what was kept.
  for (const round of ['compiled', 'kept']) {
    const help = await deployfile('build', '--help')
    expect(help.stdout, round + help.output).toContain('mode=dev|prod  how it is built (required)')
    const refused = await deployfile('build', 'mode=x')
    expect(refused.stderr, round).toContain('Ungültige Option')
  }
})
