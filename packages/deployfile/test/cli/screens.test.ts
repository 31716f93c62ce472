import { expect, it } from 'vitest'
import { cli, type Cli } from '../cli-harness.ts'

// What is printed on a terminal of 80 columns: read screens/*.txt as they stand there. Nothing is left to the terminal to wrap.

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

async function screen(one: Cli, ...words: readonly string[]): Promise<string> {
  const { stdout, stderr, code } = await one.next(...words).run()
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
  for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
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
  for (const words of lines) said.push(await screen(one, ...words))
  await expect(said.join('\n')).toMatchFileSnapshot('screens/80.txt')
})

it('a run in the list is cut where the screen ends', async () => {
  const one = cli().config(CONFIG).terminal().env({ NO_COLOR: '1', CI: '1' })
  const names = ['products', 'categories', 'customers'].map((name) => `cache:warm:${name}`)
  await one.next(...names).run()
  expect(await screen(one, 'runs')).toBe(
    '$ deployfile runs\n<run>  done  dev: cache:warm:products cache:warm:categories …\n',
  )
})
