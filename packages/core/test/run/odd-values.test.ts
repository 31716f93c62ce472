import { manualClock, task } from '@deployfile/core'
import { describe, expect, test } from 'vitest'
import { runTasks } from './run-plan.ts'

/** What a body throws or returns is anybody's: a run is told of all of it, and never breaks by it. */
const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}
const cycle: Record<string, unknown> = {}
cycle['self'] = cycle
const getter = {
  get value(): number {
    throw new Error('not yet')
  },
}
const withMessage = (message: unknown): Error => Object.assign(new Error(), { message })
const NO_ERROR = 'a value that is not an Error was thrown: '

const thrown: readonly (readonly [string, unknown, string])[] = [
  ['a string', 'no inventory', `${NO_ERROR}"no inventory"`],
  ['undefined', undefined, `${NO_ERROR}undefined`],
  ['null', null, `${NO_ERROR}null`],
  ['a number that JSON has not', Number.NaN, `${NO_ERROR}null`],
  ['a bigint', 7n, `${NO_ERROR}[object BigInt]`],
  ['a symbol', Symbol('x'), `${NO_ERROR}Symbol(x)`],
  ['a function', () => 1, `${NO_ERROR}a function`],
  ['a frozen object', Object.freeze({ a: 1 }), `${NO_ERROR}{"a":1}`],
  ['an object in itself', cycle, `${NO_ERROR}[object Object]`],
  ['a long text', 'x'.repeat(10_000), `${NO_ERROR}"${'x'.repeat(499)}…`],
  ['what cannot be looked at', revoked(), 'a value was thrown that cannot be read'],
  ['an object with a getter that throws', getter, `${NO_ERROR}[object Object]`],
  ['a frozen error', Object.freeze(new Error('cold')), 'cold'],
  ['an error without a message', new RangeError(), 'RangeError'],
  ['an error whose message is no text', withMessage({ code: 7 }), '{"code":7}'],
  ['an error without a stack', Object.assign(new Error('x'), { stack: undefined }), 'x'],
]

describe.each(['at once', 'later'])('a body that throws (%s)', (when) => {
  test.each(thrown)('%s is told readably, and what it did is undone', async (_what, value, message) => {
    const undone: string[] = []
    const throwIt = (): never => {
      throw value
    }
    const bad = task('bad', {
      run: (): unknown => (when === 'at once' ? throwIt() : Promise.resolve().then(throwIt)),
      undo: ({ outcome }) => void undone.push(outcome),
    })
    const { outcome } = await runTasks([bad])
    expect(outcome.status).toBe('failed')
    expect(outcome.failures.map(({ problem }) => problem.message)).toEqual([message])
    expect(() => JSON.stringify(outcome.failures)).not.toThrow()
    expect(undone).toEqual(['failed'])
  })
})

describe('undo and finally', () => {
  test.each(thrown)('that throw %s are told readably', async (_what, value, message) => {
    const throwIt = (): never => {
      throw value
    }
    const first = task('first', { run: () => 1, undo: throwIt, finally: throwIt })
    const bad = task('bad', { needs: { first }, run: () => Promise.reject(new Error('first')) })
    const { outcome } = await runTasks([bad])
    expect(outcome.failures.map(({ phase, problem }) => [phase, problem.message])).toEqual([
      ['run', 'first'],
      ['undo', message],
      ['finally', message],
    ])
  })

  test('that hang are told as what may still be running, and where to look', async () => {
    const clock = manualClock()
    const never = (): Promise<void> => new Promise(() => undefined)
    const hangs = task('hangs', { on: 'db', timeout: '1m', run: () => 1, undo: never })
    const bad = task('bad', { needs: { hangs }, run: () => Promise.reject(new Error('first')) })
    const running = runTasks([bad], { clock, grace: 10_000 })
    await clock.advance(70_000)
    const { outcome } = await running
    expect(outcome.failures[1]).toMatchObject({
      node: 'hangs@production/db1',
      phase: 'undo',
      problem: {
        message:
          "'hangs@production/db1' did not stop within 10s after its timeout of 1m: it may still be running",
        hint: 'Look for it on db1 before anything is run again: neither it nor what it needs there was undone.',
      },
    })
  })
})

describe('a result', () => {
  const deep = (): object => {
    let value: object = {}
    for (let index = 0; index < 100_000; index++) value = { value }
    return value
  }

  test.each([
    [
      'with a part that cannot be looked at',
      { of: revoked() },
      /^the result of 'odd' cannot be read: .*proxy/,
    ],
    ['with a getter that throws', getter, "the result of 'odd' cannot be read: not yet"],
    ['deeper than the stack', deep(), "the result of 'odd' cannot be read: Maximum call stack size exceeded"],
    [
      'in itself',
      cycle,
      "'self' of the result of 'odd' is a reference to something that contains it, which JSON cannot carry",
    ],
    ['that is a bigint', 7n, "the result of 'odd' is a bigint, which JSON cannot carry"],
    ['with a Map', { of: new Map() }, "'of' of the result of 'odd' is a Map, which JSON cannot carry"],
  ])('%s fails its node, and what it did is undone', async (_what, value, message) => {
    const undone: unknown[] = []
    const odd = task('odd', { run: (): unknown => value, undo: ({ result }) => void undone.push(result) })
    const { outcome } = await runTasks([odd])
    expect(outcome.failures.map(({ problem }) => problem.code)).toEqual(['RESULT_NOT_JSON'])
    expect(outcome.failures[0]?.problem.message).toMatch(message)
    expect(undone).toEqual([undefined])
  })
})
