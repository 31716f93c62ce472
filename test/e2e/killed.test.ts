import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { start, type Ended } from './command.ts'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const BIN = here('../../packages/deployfile/bin/deployfile.js')

// Every task leaves a file with what it got, by way of half a file; its undo takes it away.
const CONFIG = `
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { all, defineConfig, task } from 'deployfile'

const file = ({ run, host }, name) => run.root + '/world/' + name + (host ? '@' + host.name : '')
const step = (name, more) => task(name, {
  async run(context) {
    mkdirSync(context.run.root + '/world', { recursive: true })
    writeFileSync(file(context, name), 'half')
    await new Promise((resolve) => setImmediate(resolve))
    const result = { name, run: context.run.id, needs: context.needs }
    writeFileSync(file(context, name), JSON.stringify(result))
    return { name }
  },
  undo: (context) => rmSync(file(context, name), { force: true }),
  finally: () => undefined,
  ...more,
})
const build = step('build')
const release = step('release', { on: 'web', needs: { build } })
const warm = step('warm', { on: 'web', needs: { release } })
const publish = step('publish', { needs: { release: all(release) } })
const clean = step('clean', { needs: { publish, warm: all(warm) } })
const hosts = { a: { transport: 'local', roles: ['web'] }, b: { transport: 'local', roles: ['web'] } }
export default defineConfig({ stages: { dev: { hosts } }, defaultStage: 'dev', tasks: [clean] })
`

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'killed-'))
})
afterEach(() => {
  rmSync(root, { recursive: true, force: true })
})

function project(name: string): string {
  const folder = join(root, name)
  mkdirSync(join(folder, 'node_modules'), { recursive: true })
  writeFileSync(join(folder, 'deploy.config.mjs'), CONFIG)
  symlinkSync(here('../../packages/deployfile'), join(folder, 'node_modules/deployfile'))
  return folder
}

function deployfile(cwd: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return start(process.execPath, [BIN, ...args], { cwd, env: { ...process.env, CI: '', ...env } }).ended
}

function killedAt(cwd: string, args: readonly string[], line: number, how: 'half' | 'after'): Promise<Ended> {
  const NODE_OPTIONS = `--import=${here('./kill-at.mjs')}`
  return deployfile(cwd, args, { NODE_OPTIONS, KILL_AT: String(line), KILL_HOW: how })
}

/** What the tasks have left, but for the id of the run. */
function world(folder: string): Readonly<Record<string, string>> {
  const files = join(folder, 'world')
  if (!existsSync(files)) return {}
  const id = runOf(folder)
  const entries = readdirSync(files).map((name) => [
    name,
    readFileSync(join(files, name), 'utf8').replaceAll(id, 'ID'),
  ])
  return Object.fromEntries(entries) as Record<string, string>
}

function runOf(folder: string): string {
  const runs = readdirSync(join(folder, '.deployfile/runs'))
  expect(runs).toHaveLength(1)
  return runs[0] ?? ''
}

function lines(folder: string): readonly { readonly seq: number; readonly type: string }[] {
  const file = join(folder, '.deployfile/runs', runOf(folder), 'events.jsonl')
  const texts = readFileSync(file, 'utf8').split('\n').slice(0, -1)
  return texts.map((text) => JSON.parse(text) as { seq: number; type: string })
}

test(
  'a process killed at any event of a run leaves what can be resumed, and undone',
  { timeout: 600_000 },
  async () => {
    const whole = project('whole')
    const well = await deployfile(whole, ['clean', '-q'])
    expect(well, well.output).toMatchObject({ code: 0, output: '' })
    const end = world(whole)
    expect(Object.keys(end)).toEqual([
      'build',
      'clean',
      'publish',
      'release@a',
      'release@b',
      'warm@a',
      'warm@b',
    ])
    const { length } = lines(whole)

    for (let line = 1; line < length; line++) {
      const how = line % 2 === 0 ? 'after' : 'half'
      const folder = project(`at-${String(line)}`)
      const killed = await killedAt(folder, ['clean', '-q'], line, how)
      expect(killed, `${String(line)} ${killed.output}`).toMatchObject({ signal: 'SIGKILL' })
      const copy = join(root, `undone-${String(line)}`)
      cpSync(folder, copy, { recursive: true })

      const resumed = await deployfile(folder, ['--resume', '-q'])
      // Half of the first event: nothing was done, and there is nothing to go on with.
      if (line === 1 && how === 'half') {
        expect(resumed, resumed.output).toMatchObject({ code: 2 })
        expect(world(folder)).toEqual({})
        continue
      }
      expect(resumed, `resumed at ${String(line)}: ${resumed.output}`).toMatchObject({ code: 0, output: '' })
      expect(world(folder), `resumed at ${String(line)}`).toEqual(end)
      expect(lines(folder).map(({ seq }) => seq)).toEqual(lines(folder).map((_, index) => index + 1))

      const undone = await deployfile(copy, ['runs', 'undo', runOf(copy), '-q'])
      expect(undone, `undone at ${String(line)}: ${undone.output}`).toMatchObject({ code: 0, output: '' })
      expect(world(copy), `undone at ${String(line)}`).toEqual({})
    }
  },
)

test('an undo that is killed, too, can be brought to its end', async () => {
  const first = project('first')
  await killedAt(first, ['clean', '-q'], 16, 'after')
  const recorded = lines(first).length
  expect(recorded).toBe(16)
  for (let line = 1; ; line += 2) {
    const folder = join(root, `undo-${String(line)}`)
    cpSync(first, folder, { recursive: true })
    const undo = ['runs', 'undo', runOf(folder), '-q']
    const killed = await killedAt(folder, undo, line, 'after')
    // It was over before that event.
    if (killed.signal !== 'SIGKILL') {
      expect(line).toBeGreaterThan(10)
      return
    }
    const again = await deployfile(folder, undo)
    expect(again, `${String(line)}: ${again.output}`).toMatchObject({ code: 0, output: '' })
    expect(world(folder)).toEqual({})
  }
})

test('of two that resume at the same time, one gets the run', async () => {
  const folder = project('two')
  await killedAt(folder, ['clean', '-q'], 9, 'after')
  const both = await Promise.all([
    deployfile(folder, ['--resume', '-q']),
    deployfile(folder, ['--resume', '-q']),
  ])
  // The other finds it running, or done when it was much later.
  const codes = both.map(({ code }) => code).sort()
  expect(codes, both.map(({ output }) => output).join()).toEqual([0, 2])
  expect(both.map(({ stderr }) => stderr).join('')).toMatch(/is still running: process \d+ on |it ended well/)
  const events = lines(folder)
  expect(events.filter(({ type }) => type === 'run.resumed')).toHaveLength(1)
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))
})
