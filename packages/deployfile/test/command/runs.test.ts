import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { pruneRuns } from '../../src/command/prune-runs.ts'
import { cli, type Cli } from '../cli-harness.ts'

const config = (): Cli =>
  cli().config(`
const build = task('build', { run: async ({ local, log }) => { await local.sh\`echo made\`; log('built') } })
export default defineConfig({
  stages: { dev: { hosts: { a: { transport: 'local', root: '.', roles: ['web'] } } } },
  defaultStage: 'dev',
  tasks: [task('ship', { on: 'web', needs: { build }, run: async ({ remote }) => { await remote.sh\`cat missing\` } }), build],
})`)

describe('runs', () => {
  it('show says how each task ended, and what went wrong', async () => {
    const one = config().args('ship')
    await one.run()
    const { code, stdout } = await one.next('runs', 'show').run()
    expect(code).toBe(0)
    expect(stdout).toMatch(/^dev: ship {2}failed after 0\.00s\nrun <run> by jan, \d{4}-\d\d-\d\d /)
    expect(stdout).toContain('  build  done\n  ship   failed on a\n')
    expect(stdout).toContain('✘ ship@dev/a\n')
    expect(stdout).toContain('Log: <root>/.deployfile/runs/<run>/events.jsonl\n')
  })

  it('show --json has the same facts', async () => {
    const one = config().args('build')
    await one.run()
    const { stdout } = await one.next('runs', 'show', '--json').run()
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'done',
      stage: 'dev',
      tasks: ['build'],
      steps: [{ task: 'build', hosts: [], statuses: { done: 1 } }],
      failures: [],
    })
  })

  it('log tells every command with its output', async () => {
    const one = config().args('build', '-q')
    await one.run()
    const { stdout } = await one.next('runs', 'log').run()
    expect(stdout).toContain('01 echo made\n      01 made\n')
    expect(stdout).toContain('      built\n')
    expect(stdout).toContain('✔ done after')
  })

  it('log --json is the events', async () => {
    const one = config().args('build', '-q')
    await one.run()
    const { stdout } = await one.next('runs', 'log', '--json').run()
    const types = stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { type: string }).type)
    expect(types.at(0)).toBe('run.started')
    expect(types.at(-1)).toBe('run.ended')
  })

  it.each([
    [
      ['runs', 'shwo'],
      "'runs' does not know 'shwo'\n  Did you mean 'show'? deployfile runs --help says what it takes.\n",
    ],
    [['runs', 'show', 'a', 'b'], "'runs' does not know 'b'\n  deployfile runs --help says what it takes.\n"],
    [
      ['runs', 'prune', 'keep=x'],
      "'runs prune' does not know 'keep=x'\n  It takes keep=50 and days=30, each a whole number.\n",
    ],
  ])('%j is refused', async (args, said) => {
    await config()
      .args(...args)
      .ends(2, '', `deployfile: ${said}`)
  })
})

describe('old runs', () => {
  const make = (root: string, id: string, last: string): void => {
    const folder = path.join(root, '.deployfile/runs', id)
    mkdirSync(folder, { recursive: true })
    writeFileSync(path.join(folder, 'events.jsonl'), `{"type":"run.started"}\n${last}\n`)
  }
  const ENDED = '{"type":"run.ended","status":"done"}'

  it('go when they are neither among the newest nor young; what did not end stays', () => {
    const { root } = cli()
    make(root, '20260101T000000000Z-0001', ENDED)
    make(root, '20260102T000000000Z-0002', '{"type":"node.started"}')
    make(root, '20260103T000000000Z-0003', ENDED)
    make(root, '20260320T000000000Z-0004', ENDED)
    make(root, '20260321T000000000Z-0005', ENDED)
    const gone = pruneRuns(root, { runs: 1, days: 30 }, Date.parse('2026-04-01T00:00:00Z'))
    expect(gone).toEqual(['20260101T000000000Z-0001', '20260103T000000000Z-0003'])
    expect(readdirSync(path.join(root, '.deployfile/runs')).sort()).toEqual([
      '20260102T000000000Z-0002',
      '20260320T000000000Z-0004',
      '20260321T000000000Z-0005',
    ])
  })

  it('runs prune says what it did', async () => {
    const one = config()
    make(one.root, '20200101T000000000Z-0001', ENDED)
    make(one.root, '20200102T000000000Z-0002', ENDED)
    await one.args('runs', 'prune', 'keep=1').ends(0, 'Deleted 1 run; 1 is kept.\n')
    expect(existsSync(path.join(one.root, '.deployfile/runs/20200101T000000000Z-0001'))).toBe(false)
  })
})
