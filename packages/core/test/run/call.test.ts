import { all, task, type AnyTask, type Shell } from '@deployfile/core'
import * as z from 'zod'
import { describe, expect, test } from 'vitest'
import { catalogOf } from '../plan/catalog-of.ts'
import { gate, runTasks } from './run-plan.ts'
import { ended, runWith } from './run-calls.ts'

describe('what a call gives', () => {
  const build = task('build', {
    input: z.object({ mode: z.enum(['dev', 'prod']).default('prod') }),
    run: ({ input }) => ({ dir: `dist/${input.mode}` }),
  })
  const where = task('where', { on: 'web', run: ({ host }) => host.name })
  const primary = task('primary', { on: { role: 'db', pick: 'primary' }, run: ({ host }) => host.name })

  test('its result, with the input that was given', async () => {
    const top = task('top', {
      run: async ({ call }) => [
        await call(build),
        await call(build, { mode: 'dev' }),
        await call(build.with({ mode: 'dev' })),
      ],
    })
    const { outcome, events } = await runWith(top, [build])
    expect(outcome.nodes.get('top')?.result).toEqual([
      { dir: 'dist/prod' },
      { dir: 'dist/dev' },
      { dir: 'dist/dev' },
    ])
    expect(ended(events)).toEqual([
      'top→1:build done',
      'top→2:build{"mode":"dev"} done',
      'top→3:build{"mode":"dev"} done',
      'top done',
    ])
    expect(events.filter(({ parent }) => parent === 'top')).toHaveLength(6)
    expect(outcome.called?.map(({ id, parent }) => [id, parent])).toEqual([
      ['top→1:build', 'top'],
      ['top→2:build{"mode":"dev"}', 'top'],
      ['top→3:build{"mode":"dev"}', 'top'],
    ])
  })

  test('every host’s from the control machine, in parallel', async () => {
    const { opened, open } = gate()
    let running = 0
    const both = task('both', {
      on: 'web',
      run: async ({ host }) => {
        if (++running === 2) open()
        await opened
        return host.name
      },
    })
    const top = task('top', {
      run: async ({ call }) => {
        const hosts = await call(both)
        return { names: hosts.map(({ value }) => value), one: hosts.get('web2') }
      },
    })
    const { outcome } = await runWith(top, [both], { concurrency: 1 })
    expect(outcome.nodes.get('top')?.result).toEqual({ names: ['web1', 'web2'], one: 'web2' })
  })

  test('its own host’s from a host, and only there', async () => {
    const top = task('top', { on: 'web', run: async ({ call }) => [await call(where), await call(primary)] })
    const { outcome, events } = await runWith(top, [where, primary])
    expect(outcome.nodes.get('top@production/web1')?.result).toEqual(['web1', 'db1'])
    expect(outcome.nodes.get('top@production/web2')?.result).toEqual(['web2', 'db1'])
    expect(
      ended(events)
        .filter((line) => line.includes('where'))
        .sort(),
    ).toEqual([
      'top@production/web1→1:where@production/web1 done',
      'top@production/web2→1:where@production/web2 done',
    ])
  })

  test('undefined where its `when` says no, and where it only warns', async () => {
    const never = task('never', { when: () => 'not today', run: () => 1 })
    const warns = task('warns', {
      onError: 'warn',
      run: (): number => {
        throw new Error('no')
      },
    })
    const top = task('top', {
      run: async ({ call }) => [(await call(never)) ?? 'a', (await call(warns)) ?? 'b'],
    })
    const { outcome, events } = await runWith(top, [never, warns])
    expect(outcome.nodes.get('top')?.result).toEqual(['a', 'b'])
    expect(ended(events)).toEqual(['top→1:never skipped', 'top→2:warns warned', 'top done'])
  })
})

describe('needs of what is called', () => {
  let count = 0
  const counted = task('counted', { run: () => ++count })
  const user = task('user', { needs: { counted }, run: ({ needs }) => needs.counted })

  test('are run once, and their results kept for later calls', async () => {
    count = 0
    const top = task('top', { run: async ({ call }) => [await call(user), await call(user)] })
    const { outcome, events } = await runWith(top, [user])
    expect(outcome.nodes.get('top')?.result).toEqual([1, 1])
    expect(ended(events)).toEqual(['top→1:counted done', 'top→1:user done', 'top→2:user done', 'top done'])
    expect(events.find(({ type }) => type === 'node.reused')).toMatchObject({
      node: 'top→2:counted',
      of: 'top→1:counted',
      parent: 'top',
    })
  })

  test('are run once for calls of several hosts at a time', async () => {
    count = 0
    const { opened, open } = gate()
    const slow = task('slow', { run: async () => (await opened, ++count) })
    const uses = task('uses', { on: 'web', needs: { slow }, run: ({ needs }) => needs.slow })
    let calling = 0
    const top = task('top', {
      on: 'web',
      run: async ({ call }) => {
        const done = call(uses)
        if (++calling === 2) setImmediate(open)
        return done
      },
    })
    const { outcome } = await runWith(top, [uses])
    expect(outcome.status).toBe('done')
    expect(count).toBe(1)
  })

  test('that the plan has done are not run again', async () => {
    count = 0
    const top = task('top', { needs: { counted }, run: async ({ call }) => call(user) })
    const { outcome, events } = await runWith(top, [user])
    expect(outcome.nodes.get('top')?.result).toBe(1)
    expect(ended(events)).toEqual(['counted done', 'top→1:user done', 'top done'])
  })

  test('that the plan has not done yet are refused', async () => {
    const { opened, open } = gate()
    const slow = task('slow', { run: () => opened })
    const needsSlow = task('needs-slow', { needs: { slow }, run: () => 1 })
    const top = task('top', {
      run: async ({ call }) => {
        try {
          return await call(needsSlow)
        } finally {
          open()
        }
      },
    })
    const last = task('last', { needs: { slow, top }, run: () => 1 })
    const { outcome } = await runWith(last, [needsSlow])
    expect(outcome.failures).toMatchObject([
      {
        node: 'top',
        problem: {
          code: 'CALL_NOT_READY',
          message: "'top' calls 'needs-slow', which needs 'slow', and 'slow' has not ended",
          hint: "Add 'slow' to the needs of 'top', so that it is over before.",
        },
      },
    ])
  })

  test('of every host are gathered', async () => {
    const each = task('each', { on: 'web', run: ({ host }) => host.name })
    const sum = task('sum', {
      needs: { each: all(each) },
      run: ({ needs }) => needs.each.map(({ value }) => value),
    })
    const top = task('top', { run: ({ call }) => call(sum) })
    const { outcome } = await runWith(top, [sum])
    expect(outcome.nodes.get('top')?.result).toEqual(['web1', 'web2'])
  })

  test('the called task itself runs also where the plan has it', async () => {
    count = 0
    const top = task('top', { needs: { counted }, run: ({ call }) => call(counted) })
    const { outcome } = await runWith(top, [counted])
    expect(outcome.nodes.get('top')?.result).toBe(2)
  })

  test('hooks and rolling do not apply', async () => {
    const hook = task('hook', { run: () => 1 })
    const rolls = task('rolls', { on: 'web', rolling: { batch: 1 }, run: () => 1 })
    const top = task('top', { run: async ({ call }) => (await call(rolls)).length })
    const catalog = catalogOf({ tasks: [rolls, hook, top], before: { rolls: [hook] } })
    const { events } = await runTasks([top], { catalog })
    expect(ended(events).sort()).toEqual([
      'top done',
      'top→1:rolls@production/web1 done',
      'top→1:rolls@production/web2 done',
    ])
  })
})

test('calls of one caller take turns at a lock', async () => {
  let inside = 0
  let most = 0
  const locked = task('locked', {
    on: 'web',
    lock: 'db',
    run: async () => {
      most = Math.max(most, ++inside)
      await new Promise((resolve) => setImmediate(resolve))
      inside--
    },
  })
  const top = task('top', {
    lock: 'db',
    run: async ({ call }) => {
      await Promise.all([call(locked), call(locked)])
    },
  })
  const { outcome } = await runWith(top, [locked])
  expect(outcome.status).toBe('done')
  expect(most).toBe(1)
})

test('two calls that wait for each other are refused', async () => {
  const { opened, open } = gate()
  let at = 0
  const meet = async (): Promise<void> => {
    if (++at === 2) open()
    await opened
  }
  const tasks: AnyTask[] = []
  const z1: AnyTask = task('z1', { run: async ({ call }) => (await meet(), call(tasks[1] as AnyTask)) })
  const y1: AnyTask = task('y1', { run: async ({ call }) => (await meet(), call(tasks[0] as AnyTask)) })
  const z = task('z', { needs: { z1 }, run: () => 1 })
  const y = task('y', { needs: { y1 }, run: () => 1 })
  tasks.push(z, y)
  const top = task('top', {
    run: async ({ call }) => {
      await Promise.all([call(z), call(y)])
    },
  })
  const { outcome } = await runWith(top, [z, y])
  expect(outcome.status).toBe('failed')
  expect(outcome.failures.map(({ problem }) => problem.code)).toContain('CALL_CYCLE')
  expect(outcome.failures[0]?.problem.message).toMatch(
    /^'(z1|y1)' waits for '(z1|y1)', which waits for '(z1|y1)' in a call of its own$/,
  )
})

test('an unused shell of a called task is not opened', async () => {
  const opened: string[] = []
  const one = task('one', { on: 'web', run: ({ remote }) => remote.host.name })
  const top = task('top', { run: async ({ call }) => (await call(one)).length })
  const shells = {
    remote: (host: Shell['host']) => (opened.push(host.name), { host }) as unknown as Shell,
    local: () => ({}) as Shell,
    close: () => Promise.resolve(),
  }
  await runWith(top, [one], { shells })
  expect(opened.sort()).toEqual(['web1', 'web2'])
})
