import {
  all,
  Problem,
  task,
  type AnyTask,
  type BaseContext,
  type RunEvent,
  type Shell,
} from '@deployfile/core'
import * as z from 'zod'
import { describe, expect, test } from 'vitest'
import { catalogOf } from '../plan/catalog-of.ts'
import { gate, runTasks } from './run-plan.ts'

/** Runs `top` in a config that has the others, too. */
function runWith(top: AnyTask, others: readonly AnyTask[], more: Parameters<typeof runTasks>[1] = {}) {
  return runTasks([top], { catalog: catalogOf({ tasks: [...others, top] }), ...more })
}

const ended = (events: readonly RunEvent[], phase = 'run'): string[] =>
  events.flatMap((event) =>
    event.type === 'node.ended' && event.phase === phase ? [`${event.node} ${event.status}`] : [],
  )

const problem = (events: readonly RunEvent[], node: string) =>
  events.flatMap((event) => (event.type === 'node.ended' && event.node === node ? [event.problem] : []))[0]

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

describe('taking back', () => {
  const undone: string[] = []
  const step = (name: string): AnyTask =>
    task(name, {
      run: () => 1,
      undo: ({ outcome }) => void undone.push(`${name} ${outcome}`),
      finally: () => void undone.push(`finally ${name}`),
    })

  test('called tasks are undone before their caller, the newest first, and each has its finally', async () => {
    undone.length = 0
    const [a, b, c] = [step('a'), step('b'), step('c')]
    const under = step('under')
    const top = task('top', {
      needs: { under },
      run: async ({ call }) => {
        await call(a)
        await Promise.all([call(b), call(c)])
      },
      undo: () => void undone.push('top'),
    })
    const over = task('over', {
      needs: { top },
      run: () => {
        throw new Error('x')
      },
      undo: () => void undone.push('over'),
    })
    await runWith(over, [a, b, c])
    expect(undone).toEqual([
      ...['over', 'c done', 'b done', 'a done', 'top', 'under done'],
      ...['finally c', 'finally b', 'finally a', 'finally under'],
    ])
  })

  test('also where the caller has no undo and has ended well, and not behind a commit', async () => {
    undone.length = 0
    const a = step('a')
    const top = task('top', { run: ({ call }) => call(a) })
    const publish = task('publish', { needs: { top }, commits: true, run: ({ call }) => call(step('a')) })
    const fails = task('fails', {
      needs: { publish },
      run: () => {
        throw new Error('x')
      },
    })
    await runWith(fails, [a])
    expect(undone.filter((line) => !line.startsWith('finally'))).toEqual([])
    const plain = task('plain', {
      needs: { top },
      run: () => {
        throw new Error('x')
      },
    })
    await runWith(plain, [a])
    expect(undone.filter((line) => !line.startsWith('finally'))).toEqual(['a done'])
  })

  test('what a retry calls again is not run again where it had ended well', async () => {
    undone.length = 0
    let ran = 0
    let tries = 0
    const once = task('once', { run: () => ++ran, undo: () => void undone.push('once') })
    const flaky = task('flaky', {
      run: () => {
        if (++tries < 3) throw new Error('flaky')
        return tries
      },
    })
    const top = task('top', { retry: 2, run: async ({ call }) => [await call(once), await call(flaky)] })
    const { outcome, events } = await runWith(top, [once, flaky])
    expect(outcome.nodes.get('top')?.result).toEqual([1, 3])
    expect(ended(events)).toEqual([
      'top→1:once done',
      'top→2:flaky failed',
      'top→2:flaky failed',
      'top→2:flaky done',
      'top done',
    ])
  })

  test('what a called task had called is undone before it, also when it was entered again', async () => {
    undone.length = 0
    let tries = 0
    const inner = task('inner', { run: () => 1, undo: () => void undone.push('inner') })
    const outer = task('outer', {
      run: async ({ call }) => {
        if (++tries === 1) await call(inner)
        throw new Error('outer')
      },
      undo: () => void undone.push('outer'),
    })
    const top = task('top', { retry: 1, run: ({ call }) => call(outer) })
    await runWith(top, [inner, outer])
    expect(tries).toBe(2)
    expect(undone).toEqual(['inner', 'outer'])
  })

  test('an interrupt reaches what is called', async () => {
    const controller = new AbortController()
    const waits = task('waits', {
      run: ({ signal }: BaseContext) =>
        new Promise<void>((_, reject) => {
          signal.addEventListener('abort', () => {
            reject(new Error('stopped'))
          })
          controller.abort()
        }),
    })
    const top = task('top', { run: ({ call }) => call(waits) })
    const { outcome, events } = await runWith(top, [waits], { signal: controller.signal })
    expect(outcome.status).toBe('cancelled')
    expect(ended(events)).toEqual(['top→1:waits cancelled', 'top cancelled'])
  })

  test('so does the caller’s timeout, and what does not stop is given up with it', async () => {
    const deaf = task('deaf', { run: () => new Promise<void>(() => undefined) })
    const top = task('top', {
      timeout: 10,
      run: ({ call }) => call(deaf),
      undo: () => void undone.push('top'),
    })
    undone.length = 0
    const { outcome, events } = await runWith(top, [deaf], { grace: 10 })
    expect(outcome.status).toBe('failed')
    expect(outcome.nodes.get('top→1:deaf')).toMatchObject({ abandoned: true })
    expect(ended(events).sort()).toEqual(['top failed', 'top→1:deaf cancelled'])
    expect(undone).toEqual([])
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
