import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
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
  execFileSync('node', [join(clone, 'scripts/pack/pack.mjs'), tarballs])
  writeFileSync(join(project, 'package.json'), '{ "name": "empty", "private": true, "type": "module" }\n')
  const files = readdirSync(tarballs).map((file) => join(tarballs, file))
  npm(project, 'install', '--no-audit', '--no-fund', '--loglevel=error', ...files)
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const deployfile = (...args: string[]): ReturnType<typeof start>['ended'] =>
  start('npx', ['deployfile', ...args], { cwd: project, env: { ...process.env, NO_COLOR: '1' } }).ended

test('the tarballs install together into an empty project, and the command says what is missing', async () => {
  const ended = await deployfile('-T')
  expect(ended).toMatchObject({ code: 2, stdout: '' })
  expect(ended.stderr).toContain('no deploy.config.ts found')
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
