import { task, type AnyTask, type BaseContext } from '@deployfile/core'
import { describe, expect, test } from 'vitest'
import { ended, runWith } from './run-calls.ts'

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

  test('what a commit has called stays with all that it needed, but not who had called that before it', async () => {
    undone.length = 0
    const shared = step('shared')
    const undo = (name: string) => () => void undone.push(name)
    const helper = (name: string): AnyTask =>
      task(name, { needs: { shared }, run: () => 1, undo: undo(name) })
    const [one, two] = [helper('one'), helper('two')]
    let letGo = (): void => undefined
    const done = new Promise<void>((resolve) => (letGo = resolve))
    const first = task('first', { run: ({ call }) => call(one).then(letGo), undo: undo('first') })
    const commit = task('commit', {
      commits: true,
      run: ({ call }) => done.then(() => call(two)),
      undo: undo('commit'),
    })
    const fails = task('fails', {
      needs: { first, commit },
      run: () => {
        throw new Error('x')
      },
    })
    await runWith(fails, [one, two])
    expect(undone).toEqual(['one', 'first', 'finally shared'])
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
