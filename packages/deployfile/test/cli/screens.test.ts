import { expect, it } from 'vitest'
import { cli, type Cli } from '../cli-harness.ts'

// What is printed on terminals of 80 and 200 columns: read screens/*.txt as they stand there. Nothing is left to the terminal to wrap.

const CONFIG = `
const build = task('assets:build', {
  desc: 'Build the front end, and say so in a description that is much longer than what one line of a screen can hold',
  input: z.object({ mode: z.enum(['dev', 'prod']).default('prod').describe('how it is built'), minify: z.boolean().default(true) }),
  run: () => ({ dir: 'dist' }),
})
const caches = ['products', 'categories', 'customers', 'invoices'].map((name) =>
  task('cache:warm:' + name, { desc: 'Warm ' + name, on: 'web', needs: { build }, run: () => 1 }))
const warm = task('cache:warm', { desc: 'Warm every cache', on: 'web', needs: Object.fromEntries(caches.map((one, index) => ['n' + index, one])), run: () => 1 })
export default defineConfig({
  stages: { dev: { hosts: { web1: { transport: 'local', roles: ['web'] }, web2: { transport: 'local', roles: ['web'] } } } },
  defaultStage: 'dev',
  tasks: [build, ...caches, warm],
})`

async function screen(one: Cli, words: readonly string[], columns = 80): Promise<string> {
  const { stdout, stderr, code } = await one.next(...words).run()
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
  for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(columns)
  // NO_COLOR is set: not one escape sequence.
  expect(stdout).not.toContain('\u001b')
  return `$ deployfile ${words.join(' ')}\n${stdout}`
}

it('fits on a screen of 80 columns, without a colour where none is wanted', async () => {
  const one = cli().config(CONFIG).terminal().env({ NO_COLOR: '1' })
  const said: string[] = []
  const lines = [
    ...[['--help'], ['-T'], ['-P'], ['-W'], ['assets:build', '--help'], ['cache:warm', '--help']],
    ['cache:warm', '--plan'],
  ]
  for (const words of lines) said.push(await screen(one, words))
  await expect(said.join('\n')).toMatchFileSnapshot('screens/80.txt')
})

it('uses a screen of 200 columns', async () => {
  const one = cli().config(CONFIG).terminal(200).env({ NO_COLOR: '1' })
  const said: string[] = []
  for (const words of [['-T'], ['cache:warm', '--help'], ['cache:warm', '--plan']])
    said.push(await screen(one, words, 200))
  await expect(said.join('\n')).toMatchFileSnapshot('screens/200.txt')
})

it('a failure on three hosts is told once, and is the last on a screen of 120 columns', async () => {
  const broken = `
const prepare = task('prepare', { on: 'web', run: () => 1, undo: () => undefined })
const check = task('check', { on: 'web', needs: { prepare }, run: ({ host }) => { throw new Error('app.js is missing on ' + host.name) } })
const warm = task('warm', { on: 'web', needs: { every: all(check) }, run: () => 1 })
const web = (name) => ({ [name]: { transport: 'local', roles: ['web'] } })
export default defineConfig({
  stages: { dev: { hosts: { ...web('web1'), ...web('web2'), ...web('web3') } } },
  defaultStage: 'dev',
  tasks: [warm],
})`
  const one = cli()
    .config(broken)
    .terminal(120)
    .env({ NO_COLOR: '1', CI: '1' })
    .args('warm', '--on-failure', 'continue')
  const { stdout, stderr, code } = await one.run()
  expect({ stderr, code }).toEqual({
    stderr: `
✘ check failed on web1 (same on web2, web3)
  app.js is missing on web1
  at deploy.config.ts:4

Undone: prepare on web1, web2, web3
Not run: warm
Log: .deployfile/runs/<run>/events.jsonl
`,
    code: 1,
  })
  expect(stdout + stderr).not.toContain('\u001b')
})

it('a run in the list is cut where the screen ends', async () => {
  const one = cli().config(CONFIG).terminal().env({ NO_COLOR: '1', CI: '1' })
  const names = ['products', 'categories', 'customers'].map((name) => `cache:warm:${name}`)
  await one.next(...names).run()
  expect(await screen(one, ['runs'])).toBe(
    '$ deployfile runs\n<run>  done  dev: cache:warm:products cache:warm:categories …\n',
  )
})
