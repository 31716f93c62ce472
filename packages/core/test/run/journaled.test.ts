import { replay, resolvePlan, secret, task, type Journal, type RunEvent } from '@deployfile/core'
import * as z from 'zod'
import { describe, expect, test } from 'vitest'
import { catalogOf } from '../plan/catalog-of.ts'
import { gate, noShells, runTasks } from './run-plan.ts'
import { execute, isSecret, reveal, type Secret } from '@deployfile/core'

interface Noted {
  readonly journal: Journal
  /** What was written, flushed and synced, in order. */
  readonly calls: string[]
}

/** A journal that notes its calls, and does in each of them what it is told. */
function noted(
  on: (call: 'append' | 'flush' | 'sync', number: number) => void | Promise<void> = () => undefined,
): Noted {
  const calls: string[] = []
  const call = (what: 'append' | 'flush' | 'sync', text: string): void | Promise<void> => {
    calls.push(text)
    return on(what, calls.length)
  }
  return {
    calls,
    journal: {
      append: (event) => void call('append', nameOf(event)),
      flush: () => call('flush', 'flush'),
      sync: () => call('sync', 'sync'),
      close: () => undefined,
    },
  }
}

function nameOf(event: RunEvent): string {
  return 'node' in event ? `${event.type} ${event.node} ${event.phase}` : event.type
}

describe('what reaches the disk', () => {
  const RUN = ['run.started', 'sync', 'node.started a run', 'flush']
  const END = ['node.ended a run', 'run.ended', 'sync']

  test('a run syncs at its start and its end', async () => {
    const { journal, calls } = noted()
    const a = task('a', { run: () => void calls.push('body') })
    await runTasks([a], { journal })
    expect(calls).toEqual([...RUN, 'body', ...END])
  })

  test.each([
    ['commits', { commits: true }],
    ['destroys', { effect: 'destroy' as const }],
    ['asks before it is run again', { onResume: 'ask' as const }],
    ['must not be run again', { onResume: 'fail' as const }],
  ])('a task that %s syncs before and after its body', async (_, fields) => {
    const { journal, calls } = noted()
    const a = task('a', { ...fields, run: () => void calls.push('body') })
    await runTasks([a], { journal })
    expect(calls).toEqual([...RUN, 'sync', 'body', 'node.ended a run', 'sync', 'run.ended', 'sync'])
  })
})

describe('a journal that takes its time', () => {
  test('no body is entered before its announcement is kept', async () => {
    const kept = gate()
    const entered: string[] = []
    const { journal } = noted((call, number) => {
      if (call === 'flush' && number > 2) return kept.opened
    })
    const a = task('a', { run: () => void entered.push('a') })
    const b = task('b', { run: () => void entered.push('b') })
    const last = task('last', { needs: { a, b }, run: () => 1 })
    const running = runTasks([a, b, last], { journal })
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
    expect(entered).toEqual([])
    kept.open()
    expect((await running).outcome.status).toBe('done')
    expect(entered).toEqual(['a', 'b'])
  })

  test('nor before its announcement is on disk, where it must be', async () => {
    const kept = gate()
    let entered = false
    const { journal } = noted((call, number) => {
      if (call === 'sync' && number === 5) return kept.opened
    })
    const running = runTasks([task('a', { commits: true, run: () => void (entered = true) })], { journal })
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
    expect(entered).toBe(false)
    kept.open()
    await running
    expect(entered).toBe(true)
  })
})

describe('a journal that is lost', () => {
  const full = (): Error => new Error('ENOSPC: no space left on device, write')

  async function loseAt(
    lost: number,
    later: boolean,
  ): Promise<{ readonly entered: readonly string[]; readonly calls: number }> {
    const entered: string[] = []
    let isLost = false
    const { journal, calls } = noted((call, number) => {
      if (number !== lost) return
      isLost = true
      if (later && call !== 'append') return Promise.reject(full())
      throw full()
    })
    const enter = (name: string) => (): void => {
      expect(isLost, `${name} was entered after the loss`).toBe(false)
      entered.push(name)
    }
    const first = task('first', { run: enter('first'), undo: () => void entered.push('undo first') })
    const second = task('second', {
      needs: { first },
      commits: false,
      onResume: 'ask',
      run: enter('second'),
      undo: () => void entered.push('undo second'),
      finally: () => void entered.push('finally second'),
    })
    const { outcome } = await runTasks([first, second], { journal })
    const ended = calls.length < lost
    if (ended) return { entered, calls: calls.length }
    expect(outcome.failures[0]).toMatchObject({ problem: { code: 'JOURNAL_LOST', kind: 'check' } })
    // What had ended well before stays: there was nothing left to do.
    if (outcome.status === 'failed' && !outcome.nodes.get('second')?.status.includes('done')) {
      for (const name of entered.filter((one) => ['first', 'second'].includes(one)))
        expect(entered, String(lost)).toContain(`undo ${name}`)
    }
    expect(outcome.status).toBe('failed')
    return { entered, calls: calls.length }
  }

  test.each([
    ['throws', false],
    ['rejects', true],
  ])(
    'in any call, when it %s: nothing more is entered, what was is undone, the run fails',
    async (_, later) => {
      let at = 1
      for (; ; at++) {
        const { calls } = await loseAt(at, later)
        if (calls < at) break
      }
      // run.started sync started flush ended started flush sync ended sync finally flush ended run.ended sync
      expect(at).toBeGreaterThan(12)
    },
  )
})

describe('secrets', () => {
  test('in an input or a result are never in the events, and work after a resume', async () => {
    process.env['RESUME_TEST_TOKEN'] = 'tok-very-secret'
    const seen: string[] = []
    const login = task('login', {
      input: z.object({ token: z.custom<Secret>(isSecret) }),
      run: ({ input }) => ({ session: input.token }),
    })
    let killed = true
    const use = task('use', {
      needs: { login: login.with({ token: secret.env('RESUME_TEST_TOKEN') }) },
      run: ({ needs }) => {
        if (killed) throw new Error('killed here')
        seen.push(reveal(needs.login.session))
      },
    })
    const catalog = catalogOf({ tasks: [use] })
    const events: RunEvent[] = []
    await runTasks([use], { catalog, undo: 'off', onEvent: (event) => events.push(event) })
    const text = events.map((event) => JSON.stringify(event)).join('\n')
    expect(text).not.toContain('tok-very-secret')
    expect(text).toContain('{"$secret":"env RESUME_TEST_TOKEN"}')

    killed = false
    const resumed = await replay(text.split('\n').map((line) => JSON.parse(line) as RunEvent))
    const plan = resolvePlan(catalog, { stage: 'production', tasks: ['use'] })
    const outcome = await execute(plan, {
      catalog,
      shells: noShells,
      run: resumed.run,
      ask: () => Promise.resolve(),
      signal: new AbortController().signal,
      resumed,
    })
    expect(outcome.status).toBe('done')
    expect(seen).toEqual(['tok-very-secret'])
    delete process.env['RESUME_TEST_TOKEN']
  })
})
