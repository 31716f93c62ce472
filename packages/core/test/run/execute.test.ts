import { all, group, optional, task, type AnyTask, type Outcome } from '@deployfile/core'
import { describe, expect, test } from 'vitest'
import { catalogOf } from '../plan/catalog-of.ts'
import { gate, runTasks } from './run-plan.ts'

const boom = (): never => {
  throw new Error('boom')
}

describe('results', () => {
  test('flow to dependents: one value, the own host’s, all of them', async () => {
    const seen: unknown[] = []
    const build = task('build', { run: () => ({ dir: 'dist' }) })
    const upload = task('upload', {
      on: 'web',
      needs: { build },
      run: ({ host, needs }) => `${needs.build.dir}@${host.name}`,
    })
    const link = task('link', {
      on: 'web',
      needs: { upload, every: all(upload) },
      run: ({ host, needs }) => {
        seen.push([host.name, needs.upload, needs.every.map(({ value }) => value), needs.every.get('web2')])
      },
    })
    const { outcome } = await runTasks([link])
    expect(outcome.status).toBe('done')
    expect(seen.sort()).toEqual([
      ['web1', 'dist@web1', ['dist@web1', 'dist@web2'], 'dist@web2'],
      ['web2', 'dist@web2', ['dist@web1', 'dist@web2'], 'dist@web2'],
    ])
  })

  test('an optional need that is not planned, and a skipped one, are undefined', async () => {
    const absent = task('absent', { run: () => 1 })
    const skipped = task('skipped', { when: () => false, run: () => 1 })
    const user = task('user', {
      needs: { a: optional(absent), s: skipped },
      run: ({ needs }) => [needs.a === undefined, needs.s === undefined],
    })
    const { outcome } = await runTasks([user])
    expect(outcome.nodes.get('user')?.result).toEqual([true, true])
  })

  test('skip() in a body ends it as skipped, with its value for dependents', async () => {
    const maybe = task('maybe', { run: ({ skip }) => skip('nothing to do', { count: 0 }) })
    const user = task('user', { needs: { maybe }, run: ({ needs }) => needs.maybe.count })
    const { outcome, events } = await runTasks([user])
    expect(outcome.nodes.get('user')).toEqual({ status: 'done', result: 0 })
    expect(events).toContainEqual(
      expect.objectContaining({
        type: 'node.ended',
        node: 'maybe',
        status: 'skipped',
        reason: 'nothing to do',
      }),
    )
  })

  test.each([
    [{ at: new Date(0) }, "'at' of the result of 'bad' is a Date, which JSON cannot carry"],
    [
      { list: [1, { deep: () => 1 }] },
      "'list[1].deep' of the result of 'bad' is a function, which JSON cannot carry",
    ],
    [Number.NaN, "the result of 'bad' is NaN, which JSON cannot carry"],
  ])('%# must be JSON, and the path of what is not is named', async (value, message) => {
    const { outcome } = await runTasks([task('bad', { run: () => value })])
    expect(outcome.failures.map(({ problem }) => problem.message)).toEqual([message])
  })
})

describe('order', () => {
  test('hosts pipeline: a host goes on while another is still in the task before', async () => {
    const order: string[] = []
    const web2DidSecond = gate()
    const first = task('first', {
      on: 'web',
      run: async ({ host }) => {
        if (host.name === 'web1') await web2DidSecond.opened
        order.push(`first ${host.name}`)
      },
    })
    const second = task('second', {
      on: 'web',
      needs: { first },
      run: ({ host }) => {
        order.push(`second ${host.name}`)
        if (host.name === 'web2') web2DidSecond.open()
      },
    })
    const { outcome } = await runTasks([second])
    expect(outcome.status).toBe('done')
    expect(order).toEqual(['first web2', 'second web2', 'first web1', 'second web1'])
  })

  test('never more bodies at once than the limit', async () => {
    let now = 0
    let most = 0
    const many = Array.from({ length: 20 }, (_, index) =>
      task(`t${String(index)}`, {
        run: async () => {
          most = Math.max(most, ++now)
          await Promise.resolve()
          now--
        },
      }),
    )
    const every = group('every', Object.fromEntries(many.map((one) => [one.name, one])))
    await runTasks([every], { concurrency: 3 })
    expect(most).toBe(3)
  })

  test('what has the longest way to go starts first', async () => {
    const order: string[] = []
    const mark = (name: string, needs: Record<string, AnyTask> = {}): AnyTask =>
      task(name, { needs, run: () => void order.push(name) })
    const short = mark('short')
    const long = mark('long')
    const next = mark('next', { long })
    const end = group('end', { short, next })
    await runTasks([end], { concurrency: 1 })
    expect(order).toEqual(['long', 'short', 'next'])
  })

  // Half a second of work and a large heap: on a busy machine that can be more than a test's usual five. bench/graph measures it.
  test('a chain of 10,000 milestones ends', { timeout: 60_000 }, async () => {
    let last: AnyTask = group('g0', {})
    for (let index = 1; index < 10_000; index++) last = group(`g${String(index)}`, { last })
    const { outcome } = await runTasks([last], { stage: 'dev' })
    expect(outcome.status).toBe('done')
    expect(outcome.nodes.size).toBe(10_000)
  })
})

describe('failure', () => {
  test('stops new work, lets what runs end, keeps every error, and blocks dependents by name', async () => {
    const bothStarted = gate()
    let started = 0
    const check = task('check', {
      on: 'web',
      run: async ({ host }) => {
        if (++started === 2) bothStarted.open()
        await bothStarted.opened
        throw new Error(`no disk on ${host.name}`)
      },
    })
    const after = task('after', { on: 'web', needs: { check }, run: () => 1 })
    const { outcome, events } = await runTasks([after])
    expect(outcome.status).toBe('failed')
    expect(outcome.failures.map(({ node, problem }) => [node, problem.message])).toEqual([
      ['check@production/web1', 'no disk on web1'],
      ['check@production/web2', 'no disk on web2'],
    ])
    expect(outcome.nodes.get('after@production/web2')?.status).toBe('blocked')
    expect(events).toContainEqual(
      expect.objectContaining({
        node: 'after@production/web1',
        status: 'blocked',
        reason: "'check@production/web1' did not end well",
      }),
    )
  })

  test("onError: 'warn' ends as warned: dependents run and see undefined, the run is done", async () => {
    const notify = task('notify', { onError: 'warn', run: (): number => boom() })
    const user = task('user', { needs: { notify }, run: ({ needs }) => needs.notify === undefined })
    const { outcome } = await runTasks([user])
    expect(outcome.status).toBe('done')
    expect(outcome.nodes.get('notify')?.status).toBe('warned')
    expect(outcome.nodes.get('user')?.result).toBe(true)
  })

  test.each([
    ['a string', 'a value that is not an Error was thrown: "a string"'],
    [undefined, 'a value that is not an Error was thrown: undefined'],
    [Object.freeze({ a: 1 }), 'a value that is not an Error was thrown: {"a":1}'],
  ])('a body that throws %o is told readably', async (thrown, message) => {
    const bad = task('bad', {
      run: () => {
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- the point of the test
        throw thrown
      },
    })
    const { outcome } = await runTasks([bad])
    expect(outcome.failures[0]?.problem.message).toBe(message)
  })
})

describe('undo', () => {
  function recorder(): {
    readonly order: string[]
    readonly undoable: (
      name: string,
      needs?: Record<string, AnyTask>,
      fails?: boolean,
      commits?: boolean,
    ) => AnyTask
  } {
    const order: string[] = []
    return {
      order,
      undoable: (name, needs = {}, fails = false, commits = false) =>
        task(name, {
          needs,
          commits,
          run: () => (fails ? boom() : name),
          undo: ({ result, outcome }: { result: string | undefined; outcome: Outcome }) =>
            void order.push(`${name} ${result ?? 'no result'} ${outcome}`),
        }),
    }
  }

  test('takes back all that started, dependents first, the failed one too, and nothing that never started', async () => {
    const { order, undoable } = recorder()
    const a = undoable('a')
    const b = undoable('b', { a })
    const c = undoable('c', { b }, true)
    const d = undoable('d', { c })
    const { outcome } = await runTasks([d])
    expect(order).toEqual(['c no result failed', 'b b done', 'a a done'])
    expect(outcome.nodes.get('a')).toMatchObject({ status: 'done', undone: true })
    expect(outcome.nodes.get('d')).toEqual({ status: 'blocked' })
  })

  test('nothing behind a commit is taken back; what is not its ancestor is', async () => {
    const { order, undoable } = recorder()
    const a = undoable('a')
    const commit = undoable('commit', { a }, false, true)
    const beside = undoable('beside')
    const bad = undoable('bad', { commit, beside }, true)
    await runTasks([bad])
    expect(order.sort()).toEqual(['bad no result failed', 'beside beside done'])
  })

  test('a commit counts only when it ended well on every host where it is planned', async () => {
    const order: string[] = []
    const flip = task('flip', {
      on: 'web',
      run: ({ host }) => host.name,
      undo: ({ host }) => void order.push(`back ${host.name}`),
    })
    const restart = task('restart', {
      on: 'web',
      needs: { every: all(flip) },
      commits: true,
      run: ({ host }) => (host.name === 'web2' ? boom() : 1),
    })
    await runTasks([restart])
    expect(order.sort()).toEqual(['back web1', 'back web2'])
  })

  test('a commit that skips itself on every host is none; where one host does its work it is', async () => {
    const order: string[] = []
    const flip = task('flip', {
      on: 'web',
      run: ({ host }) => host.name,
      undo: ({ host }) => void order.push(`back ${host.name}`),
    })
    const decide = (skips: (host: string) => boolean): AnyTask =>
      task('decide', {
        on: 'web',
        needs: { every: all(flip) },
        commits: true,
        run: ({ host, skip }) => (skips(host.name) ? skip('may go back') : undefined),
      })
    const bad = (after: AnyTask): AnyTask => task('bad', { needs: { after }, run: boom })
    await runTasks([bad(decide(() => true))])
    expect(order.splice(0).sort()).toEqual(['back web1', 'back web2'])
    await runTasks([bad(decide((host) => host === 'web1'))])
    expect(order).toEqual([])
  })

  test('an undo that throws is attached, the first failure stays first, the other undos run', async () => {
    const order: string[] = []
    const a = task('a', { run: () => 1, undo: () => void order.push('a') })
    const b = task('b', { needs: { a }, run: () => 1, undo: boom })
    const c = task('c', {
      needs: { b },
      run: () => {
        throw new Error('first')
      },
    })
    const { outcome } = await runTasks([c])
    expect(outcome.failures.map(({ node, phase, problem }) => [node, phase, problem.message])).toEqual([
      ['c', 'run', 'first'],
      ['b', 'undo', 'boom'],
    ])
    expect(order).toEqual(['a'])
    expect(outcome.nodes.get('b')?.undone).toBe(false)
  })

  test('finally runs for all that started, after undo, also when all went well', async () => {
    const order: string[] = []
    const a = task('a', {
      run: () => 1,
      undo: () => void order.push('undo a'),
      finally: () => void order.push('finally a'),
    })
    const good = task('good', { needs: { a }, run: () => 1, finally: () => void order.push('finally good') })
    await runTasks([good])
    expect(order).toEqual(['finally good', 'finally a'])
    order.length = 0
    await runTasks([a, task('bad', { needs: { a }, run: boom })])
    expect(order).toEqual(['undo a', 'finally a'])
  })

  test('a finally that fails makes a good run a failed one, and takes nothing back', async () => {
    const undone: string[] = []
    const good = task('good', { run: () => 1, undo: () => void undone.push('good'), finally: boom })
    const { outcome } = await runTasks([good])
    expect(outcome.status).toBe('failed')
    expect(outcome.failures.map(({ phase }) => phase)).toEqual(['finally'])
    expect(undone).toEqual([])
  })
})

describe('an interrupt', () => {
  test('cancels what runs, starts nothing more, and undoes on a signal that is not aborted', async () => {
    const controller = new AbortController()
    const seen: boolean[] = []
    const long = task('long', {
      run: ({ signal }) =>
        new Promise<void>((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reject(new Error('cancelled'))
          })
          controller.abort()
        }),
      undo: ({ signal }) => void seen.push(signal.aborted),
    })
    const next = task('next', { needs: { long }, run: () => 1 })
    const { outcome } = await runTasks([next], { signal: controller.signal })
    expect(outcome.status).toBe('cancelled')
    expect(outcome.failures).toEqual([])
    expect([...outcome.nodes].map(([id, { status }]) => [id, status])).toEqual([
      ['long', 'cancelled'],
      ['next', 'blocked'],
    ])
    expect(seen).toEqual([false])
  })

  test('that comes when all is done changes nothing', async () => {
    const controller = new AbortController()
    const undone: string[] = []
    const last = task('last', {
      run: () => {
        controller.abort()
      },
      undo: () => void undone.push('last'),
    })
    const { outcome } = await runTasks([last], { signal: controller.signal })
    expect(outcome.status).toBe('done')
    expect(undone).toEqual([])
  })
})

describe('hooks', () => {
  const order: string[] = []
  const mark = (name: string, fails = false): AnyTask =>
    task(name, { run: () => (fails ? boom() : void order.push(name)) })

  test('run around the body, and the result is the body’s', async () => {
    const body = task('body', {
      run: () => {
        order.push('body')
        return 7
      },
    })
    const user = task('user', { needs: { body }, run: ({ needs }) => needs.body })
    const catalog = catalogOf({
      tasks: [user],
      before: { body: [mark('b1'), mark('b2')] },
      after: { body: [mark('a1')] },
    })
    const { outcome } = await runTasks([user], { catalog })
    expect(order).toEqual(['b1', 'b2', 'body', 'a1'])
    expect(outcome.nodes.get('user')?.result).toBe(7)
  })

  test('a failed hook fails the task: neither its body nor its dependents run', async () => {
    const body = mark('body2')
    const user = task('user', { needs: { body }, run: () => 1 })
    const catalog = catalogOf({ tasks: [user], before: { body2: [mark('bad', true)] } })
    const { outcome } = await runTasks([user], { catalog })
    expect(outcome.nodes.get('body2')?.status).toBe('blocked')
    expect(outcome.nodes.get('user')?.status).toBe('blocked')
  })
})

test('the events count without gaps, and each node settles exactly once', async () => {
  const web = task('web', { on: 'web', run: () => 1 })
  const end = group('end', { web })
  const { events } = await runTasks([end])
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))
  const ended = events.flatMap((event) =>
    event.type === 'node.ended' && event.phase === 'run' ? [event.node] : [],
  )
  expect(ended.sort()).toEqual(['all(web)', 'end', 'web@production/web1', 'web@production/web2'])
})
