import { group, override, Problem, recipe, task, type AnyTask, type RunEvent } from '@deployfile/core'
import { describe, expect, test } from 'vitest'
import { catalogOf } from '../plan/catalog-of.ts'
import { runTasks } from './run-plan.ts'

const entered: string[] = []

async function dry(top: AnyTask, others: readonly AnyTask[] = [], more: Parameters<typeof runTasks>[1] = {}) {
  entered.length = 0
  const catalog = catalogOf({ tasks: [...others, top] })
  return runTasks([top], { catalog, dryRun: true, ...more })
}

const ends = (events: readonly RunEvent[]): string[] =>
  events.flatMap((event) =>
    event.type === 'node.ended'
      ? [`${event.node} ${event.status}${event.reason === undefined ? '' : `: ${event.reason}`}`]
      : [],
  )

const shows = task('shows', {
  preview: true,
  run: ({ run }) => (entered.push('shows'), { dry: run.dryRun }),
  undo: () => void entered.push('undo shows'),
  finally: () => void entered.push('finally shows'),
})
const silent = task('silent', { run: () => (entered.push('silent'), 'value') })

describe('a dry run', () => {
  test('enters what has a preview, and nothing else', async () => {
    const top = group('top', { shows, silent })
    const { outcome, events } = await dry(top)
    expect(entered).toEqual(['shows'])
    expect(outcome.status).toBe('done')
    expect(outcome.nodes.get('shows')?.result).toEqual({ dry: true })
    expect(ends(events)).toEqual(['silent skipped: would run, no preview', 'shows done', 'top done'])
  })

  test('enters a preview function in the place of the body', async () => {
    const made = task('made', {
      run: () => (entered.push('made'), { path: 'real' }),
      preview: () => (entered.push('preview'), { path: 'shown' }),
    })
    const top = task('top', { needs: { made }, preview: true, run: ({ needs }) => needs.made.path })
    const { outcome } = await dry(top)
    expect(entered).toEqual(['preview'])
    expect(outcome.nodes.get('top')?.result).toBe('shown')
  })

  test('does not enter what takes a value that nobody has', async () => {
    const middle = task('middle', { needs: { silent }, preview: true, run: () => entered.push('middle') })
    const last = task('last', { needs: { middle }, preview: true, run: () => entered.push('last') })
    const through = group('through', { last })
    const after = task('after', { needs: { through }, preview: true, run: () => void entered.push('after') })
    const { outcome, events } = await dry(after)
    expect(outcome.status).toBe('done')
    expect(entered).toEqual(['after'])
    expect(ends(events)).toEqual([
      'silent skipped: would run, no preview',
      "middle skipped: would run: needs 'silent', which has no preview",
      "last skipped: would run: needs 'silent', which has no preview",
      'through done',
      'after done',
    ])
  })

  test('undoes nothing, runs no finally and no onFailure task, and fails as any run', async () => {
    const fails = task('fails', {
      needs: { shows },
      preview: true,
      run: () => {
        throw new Problem('check', 'NOPE', 'not ready')
      },
      undo: () => void entered.push('undo fails'),
    })
    entered.length = 0
    const tell = task('tell', { preview: true, run: () => entered.push('tell') })
    const catalog = catalogOf({ tasks: [fails], onFailure: [tell] })
    const { outcome } = await runTasks([fails], { catalog, dryRun: true })
    expect(entered).toEqual(['shows'])
    expect(outcome).toMatchObject({
      status: 'failed',
      failures: [{ node: 'fails', problem: { kind: 'check' } }],
    })
  })

  test('asks nobody, and says what it would ask', async () => {
    const asks = task('asks', {
      preview: true,
      run: async ({ confirm }) => {
        await confirm({ message: 'This empties it.', answer: 'app_dev' })
        return 'went on'
      },
    })
    const { outcome, events } = await dry(asks, [], { ask: () => Promise.reject(new Error('asked')) })
    expect(outcome.nodes.get('asks')?.result).toBe('went on')
    expect(events.find(({ type }) => type === 'node.log')).toMatchObject({
      message: 'would ask for app_dev: This empties it.',
    })
  })

  test('skips as ever, while planning and in the body', async () => {
    const never = task('never', { when: () => 'not here', run: () => 1 })
    const skips = task('skips', { preview: true, run: ({ skip }) => skip('nothing to do') })
    const { events } = await dry(group('top', { never, skips }))
    expect(ends(events).sort()).toEqual([
      'never skipped: not here',
      'skips skipped: nothing to do',
      'top done',
    ])
  })

  test('says in its first event that it is one', async () => {
    const { events } = await dry(shows)
    expect(events[0]).toMatchObject({ type: 'run.started', dryRun: true })
  })
})

describe('a call in a preview', () => {
  test('runs what has a preview, and stops at what has none', async () => {
    const top = task('top', { preview: true, run: ({ call }) => call(shows) })
    expect((await dry(top, [shows])).outcome.nodes.get('top')?.result).toEqual({ dry: true })
    const other = task('other', {
      preview: true,
      run: async ({ call }) => {
        await call(silent)
        entered.push('other')
      },
    })
    const { outcome, events } = await dry(other, [silent])
    expect(entered).toEqual([])
    expect(outcome.status).toBe('done')
    expect(ends(events)).toEqual([
      'other→1:silent skipped: would run, no preview',
      "other skipped: would run: needs 'silent', which has no preview",
    ])
  })
})

describe('the base of an override', () => {
  const overridden = async (base: AnyTask, made: AnyTask): ReturnType<typeof runTasks> => {
    entered.length = 0
    return runTasks([made], { catalog: catalogOf({ use: [recipe({ base })], tasks: [made] }), dryRun: true })
  }
  const made = task('made', {
    run: () => (entered.push('made'), { path: 'real' }),
    preview: () => ({ path: 'shown' }),
  })

  test('is the preview of the task', async () => {
    const wrapped = override(made, {
      preview: true,
      run: async ({ base }) => ({ path: `${(await base()).path}!` }),
    })
    const { outcome } = await overridden(made, wrapped)
    expect(entered).toEqual([])
    expect(outcome.nodes.get('made')?.result).toEqual({ path: 'shown!' })
  })

  test('is not there where the task has none, and an override has none of its own accord', async () => {
    const wrapped = override(silent, { preview: true, run: ({ base }) => base() })
    expect(ends((await overridden(silent, wrapped)).events)).toEqual([
      "silent skipped: would run: needs 'silent', which has no preview",
    ])
    const bare = override(made, { run: ({ base }) => base() })
    expect(ends((await overridden(made, bare)).events)).toEqual(['made skipped: would run, no preview'])
    const own = override(silent, { run: ({ base }) => base(), preview: () => 'own' })
    expect((await overridden(silent, own)).outcome.nodes.get('silent')?.result).toBe('own')
    expect(entered).toEqual([])
  })
})

test('a preview that is neither true nor a function is refused', () => {
  expect(() => task('x', { preview: 'yes' as unknown as true, run: () => 1 })).toThrow(
    'preview of the task \'x\' is "yes"',
  )
})
