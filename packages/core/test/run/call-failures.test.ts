import { Problem, task, type AnyTask } from '@deployfile/core'
import * as z from 'zod'
import { describe, expect, test } from 'vitest'
import { gate } from './run-plan.ts'
import { ended, problem, runWith } from './run-calls.ts'

describe('what goes wrong', () => {
  const fails = task('fails', {
    on: 'web',
    run: ({ host }) => {
      throw new Problem('check', 'NOPE', `${host.name} will not`)
    },
  })

  test('fails the caller, and is the one failure, of every host', async () => {
    const top = task('top', {
      run: async ({ call }) => {
        await call(fails)
      },
    })
    const { outcome, events } = await runWith(top, [fails])
    expect(outcome.status).toBe('failed')
    expect(outcome.failures.map(({ node, problem: { message, kind } }) => [node, message, kind])).toEqual([
      ['top→1:fails@production/web1', 'web1 will not', 'check'],
      ['top→1:fails@production/web2', 'web2 will not', 'check'],
    ])
    expect(problem(events, 'top')).toMatchObject({ code: 'NOPE', message: 'web1 will not' })
    expect(outcome.nodes.get('top')?.status).toBe('failed')
  })

  test('may be caught, by its code', async () => {
    const top = task('top', {
      run: async ({ call }) => {
        try {
          await call(fails)
        } catch (error) {
          return (error as Problem).code
        }
        return 'well'
      },
    })
    const { outcome } = await runWith(top, [fails])
    expect(outcome).toMatchObject({ status: 'done', failures: [] })
    expect(outcome.nodes.get('top')?.result).toBe('NOPE')
  })

  test('comes through calls of calls as it was', async () => {
    const middle = task('middle', {
      on: 'web',
      run: async ({ call }) => {
        await call(fails)
      },
    })
    const top = task('top', {
      run: async ({ call }) => {
        await call(middle)
      },
    })
    const { outcome } = await runWith(top, [fails, middle])
    expect(outcome.failures.map(({ node }) => node)).toEqual([
      'top→1:middle@production/web1→1:fails@production/web1',
      'top→1:middle@production/web2→1:fails@production/web2',
    ])
  })

  test('is not lost when nobody waits for it', async () => {
    const { opened, open } = gate()
    const early = task('early', {
      run: () => {
        throw new Error('early')
      },
    })
    const late = task('late', {
      run: async () => {
        await opened
        throw new Error('late')
      },
    })
    const top = task('top', {
      run: async ({ call }) => {
        void call(early)
        await new Promise((resolve) => setImmediate(resolve))
      },
    })
    const other = task('other', {
      run: ({ call }) => {
        void call(late)
        setImmediate(open)
      },
    })
    expect((await runWith(top, [early])).outcome.failures).toMatchObject([{ problem: { message: 'early' } }])
    expect((await runWith(other, [late])).outcome.failures).toMatchObject([{ problem: { message: 'late' } }])
  })

  test('a body that fails stops what it still calls', async () => {
    const hangs = task('hangs', {
      run: ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            reject(new Error('stopped'))
          })
        }),
    })
    const throws = task('throws', {
      run: () => {
        throw new Error('at once')
      },
    })
    const top = task('top', {
      run: async ({ call }) => {
        await Promise.all([call(hangs), call(throws)])
      },
    })
    const { outcome, events } = await runWith(top, [hangs, throws])
    expect(outcome.failures).toMatchObject([{ node: 'top→2:throws', problem: { message: 'at once' } }])
    expect(ended(events)).toEqual(['top→2:throws failed', 'top→1:hangs cancelled', 'top failed'])
  })

  test('a call after the end, in undo and in finally rejects', async () => {
    const said: string[] = []
    const one = task('one', { run: () => 1 })
    let late: () => Promise<unknown> = () => Promise.resolve()
    const tryCall = async (context: unknown): Promise<void> => {
      await (context as { call: (task: AnyTask) => Promise<unknown> }).call(one).catch((error: unknown) => {
        said.push((error as Error).message)
      })
    }
    const top = task('top', {
      run: ({ call }) => {
        late = () => call(one)
        throw new Error('x')
      },
      undo: tryCall,
      finally: tryCall,
    })
    await runWith(top, [one])
    await late().catch((error: unknown) => said.push((error as Error).message))
    expect(said).toEqual([
      "'top' calls 'one' in its undo",
      "'top' calls 'one' in its finally",
      "'top' calls 'one' after it has ended",
    ])
  })
})

describe('what is refused', () => {
  const message = async (top: AnyTask, others: readonly AnyTask[]): Promise<string | undefined> =>
    (await runWith(top, others)).outcome.failures[0]?.problem.message

  test('an effect that was not confirmed', async () => {
    const wipe = task('wipe', { effect: 'destroy', run: () => 1 })
    const top = task('top', { run: ({ call }) => call(wipe) })
    expect(await message(top, [wipe])).toBe(
      "'top' calls 'wipe', whose effect is 'destroy', and its own is only 'write'",
    )
    const need = task('need', { run: () => 1 })
    const reads = task('reads', { effect: 'read', needs: { need }, run: () => 1 })
    const reader = task('reader', { effect: 'read', run: ({ call }) => call(reads) })
    expect(await message(reader, [reads])).toBe(
      "'reader' calls 'need', whose effect is 'write', and its own is only 'read'",
    )
  })

  test('a protected stage that was not confirmed', async () => {
    const there = task('there', { on: { stage: 'production', role: 'db', pick: 'primary' }, run: () => 1 })
    const top = task('top', { run: ({ call }) => call(there) })
    const { outcome } = await runWith(top, [there], { stage: 'dev' })
    expect(outcome.failures[0]?.problem.message).toBe(
      "'top' calls 'there', which changes the stage 'production', and only 'dev' was confirmed",
    )
  })

  test('a lock that the caller has not', async () => {
    const locked = task('locked', { lock: 'db', run: () => 1 })
    const top = task('top', { lock: 'cache', run: ({ call }) => call(locked) })
    expect(await message(top, [locked])).toBe(
      "'top' calls 'locked', which has the lock 'db', and 'top' has not",
    )
  })

  test('a point of no return, a task that the config does not have, a host where it does not run', async () => {
    const commits = task('commits', { commits: true, run: () => 1 })
    const one = task('one', { run: ({ call }) => call(commits) })
    expect(await message(one, [commits])).toBe(
      "'one' calls 'commits', which is a point of no return, and that only a plan can have",
    )
    expect(await message(one, [])).toBe("'one' calls 'commits', which the config does not have")
    const web = task('web', { on: 'web', run: () => 1 })
    const db = task('db', { on: 'db', run: ({ call }) => call(web) })
    expect(await message(db, [web])).toBe("'db' calls 'web' on db1, where 'web' does not run")
  })

  test('an input that does not fit', async () => {
    const tagged = task('tagged', { input: z.object({ tag: z.string() }), run: ({ input }) => input.tag })
    const none = task('none', { run: ({ call }) => call(tagged, undefined as unknown as { tag: string }) })
    expect(await message(none, [tagged])).toContain('tag=… is missing')
    const date = task('date', { run: ({ call }) => call(tagged, { tag: new Date() as unknown as string }) })
    expect(await message(date, [tagged])).toBe(
      "'tag' of the input with which 'date' calls 'tagged' is a Date, which JSON cannot carry",
    )
  })

  test('tasks that call each other without an end', async () => {
    const tasks: AnyTask[] = []
    const a: AnyTask = task('a', { run: ({ call }) => call(tasks[1] as AnyTask) })
    const b: AnyTask = task('b', { run: ({ call }) => call(tasks[0] as AnyTask) })
    tasks.push(a, b)
    expect(await message(a, [b])).toMatch(
      /^tasks call each other without an end: (a calls b calls a|b calls a calls b)$/,
    )
  })
})
