import { task, type ShellProvider, type ShellScope } from '@deployfile/core'
import { expect, test } from 'vitest'
import { catalogOf } from '../plan/catalog-of.ts'
import { gate, noShells, runTasks } from './run-plan.ts'

/** Shells whose `attach` lends the terminal, and says what became of it. */
function lending(story: string[]): ShellProvider {
  const open = ({ lendTerminal }: ShellScope): never =>
    ({
      attach: async () => {
        if (!lendTerminal) throw new Error('no terminal')
        await lendTerminal(() => Promise.resolve(void story.push('used')))
      },
    }) as never
  return { ...noShells, remote: (_, scope) => open(scope), local: open }
}

const lends = (story: string[]) => ({
  shells: lending(story),
  async lendTerminal<T>(use: () => Promise<T>): Promise<T> {
    story.push('lent')
    const value = await use()
    story.push('back')
    return value
  },
})

test('a body that runs alone gets the terminal, and knows that there is one', async () => {
  const story: string[] = []
  const console = task('console', {
    async run({ local, run }) {
      story.push(`terminal ${String(run.terminal)}`)
      await local.attach`psql`
    },
  })
  const { outcome } = await runTasks([console], lends(story))
  expect(outcome.status).toBe('done')
  expect(story).toEqual(['terminal true', 'lent', 'used', 'back'])
})

test('where there is none, it is known before', async () => {
  const story: string[] = []
  const console = task('console', {
    async run({ local, run }) {
      story.push(`terminal ${String(run.terminal)}`)
      await local.attach`psql`
    },
  })
  const { outcome } = await runTasks([console], { shells: lending(story) })
  expect(outcome.failures[0]?.problem.message).toBe('no terminal')
  expect(story).toEqual(['terminal undefined'])
})

test('while another task runs nobody gets it', async () => {
  const story: string[] = []
  const over = gate()
  const long = task('long', { run: () => over.opened })
  const console = task('console', {
    async run({ local }) {
      try {
        await local.attach`psql`
      } finally {
        over.open()
      }
    },
  })
  const both = task('both', { needs: { long, console }, run: () => 1 })
  const { outcome } = await runTasks([long, console, both], lends(story))
  expect(
    outcome.failures.map(({ node, problem }) => [node, problem.kind, problem.code, problem.message]),
  ).toEqual([['console', 'check', 'TERMINAL_SHARED', "'console' wants the terminal while 'long' is running"]])
  expect(story).toEqual([])
})

test('one that is called gets it, since its caller only waits', async () => {
  const story: string[] = []
  const console = task('console', { effect: 'read', run: ({ local }) => local.attach`psql` })
  const caller = task('caller', { run: async ({ call }) => (await call(console), 1) })
  const catalog = catalogOf({ tasks: [console, caller] })
  const { outcome } = await runTasks([caller], { catalog, ...lends(story) })
  expect(outcome.status, JSON.stringify(outcome.failures)).toBe('done')
  expect(story).toEqual(['lent', 'used', 'back'])
})

test('what is undone or cleared up does not get it', async () => {
  const story: string[] = []
  const asks = task('asks', {
    run: () => {
      throw new Error('broken')
    },
    undo: ({ local }) => local.attach`psql`,
    finally: ({ local }) => local.attach`psql`,
  })
  const { outcome } = await runTasks([asks], lends(story))
  expect(outcome.failures.map(({ phase, problem }) => `${phase}: ${problem.message}`)).toEqual([
    'run: broken',
    "undo: 'asks' wants the terminal in its undo: only run can have it",
    "finally: 'asks' wants the terminal in its finally: only run can have it",
  ])
  expect(story).toEqual([])
})
