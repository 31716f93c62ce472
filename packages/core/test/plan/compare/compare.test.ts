import { all, comparePlans, resolvePlan, task, type AnyTask, type Plan } from '@deployfile/core'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { catalogOf, STAGES, type Parts } from '../catalog-of.ts'

const noop = (): void => undefined

interface Made extends Parts {
  readonly stage?: string
  readonly ask?: readonly (string | AnyTask)[]
  readonly inputs?: Readonly<Record<string, string>>
  readonly stages?: object
}

function planOf({ stage = 'production', ask = ['last'], inputs = {}, ...parts }: Made): Plan {
  return resolvePlan(catalogOf(parts), { stage, tasks: ask, inputs })
}

/** What is told when a run of one config goes on with another. */
function told(before: Made, after: Made): readonly string[] {
  return comparePlans(JSON.parse(JSON.stringify(planOf(before))) as Plan, planOf(after))
}

const build = task('build', { run: noop })
const release = task('release', { on: 'web', needs: { build }, run: noop })
const last = task('last', { needs: { release }, run: noop })
const base: Made = { tasks: [last] }

function stagesWith(hosts: object): object {
  return { ...STAGES, production: { ...STAGES.production, hosts } }
}

describe('what differs is told by task and host', () => {
  const { web1, web2, db1 } = STAGES.production.hosts

  test('a task came', () => {
    const more = task('last', { needs: { release, extra: task('extra', { run: noop }) }, run: noop })
    expect(told(base, { tasks: [more] })).toEqual(["'extra' is new in the plan."])
  })

  test('a task went', () => {
    const alone = task('release', { on: 'web', run: noop })
    const less = task('last', { needs: { release: alone }, run: noop })
    expect(told(base, { tasks: [less] })).toEqual(["'build' is no longer in the plan."])
  })

  test('a host came or went: once for all tasks on it', () => {
    const check = task('check', { on: 'web', needs: { release }, run: noop })
    const tasks = [task('last', { needs: { check }, run: noop })]
    const fewer = stagesWith({ web1, db1 })
    expect(told({ tasks }, { tasks, stages: fewer })).toEqual([
      "'release' and 'check' no longer run on production/web2.",
    ])
    expect(told({ tasks, stages: fewer }, { tasks })).toEqual([
      "'release' and 'check' now run on production/web2.",
    ])
  })

  test('a task has left a host where others stay', () => {
    const narrow = task('build2', { on: 'app', run: noop })
    const wide = task('release', { on: 'web', needs: { narrow }, run: noop })
    const wider = task('release', { on: 'app', needs: { narrow }, run: noop })
    expect(
      told(
        { tasks: [task('last', { needs: { wider }, run: noop })] },
        { tasks: [task('last', { needs: { wider: wide }, run: noop })] },
      ),
    ).toEqual(["'release' no longer runs on production/db1."])
  })

  test('a host is somebody else now', () => {
    const elsewhere = stagesWith({
      web1: { ...web1, address: 'deploy@10.0.0.7:2222', user: 'app' },
      web2,
      db1,
    })
    expect(told(base, { ...base, stages: elsewhere })).toEqual([
      'The address of production/web1 was "web1" and is now "deploy@10.0.0.7:2222".',
      'The user of production/web1 was none and is now "app".',
    ])
  })

  test('another stage is told alone', () => {
    expect(told(base, { ...base, stage: 'dev' })).toEqual(["The stage was 'production' and is now 'dev'."])
  })

  test('other tasks were asked for, also with other input', () => {
    const tag = task('tag', { input: z.object({ name: z.string() }), run: noop })
    const ask = (name: string): Made => ({ tasks: [tag], ask: [tag.with({ name })] })
    expect(told(ask('a'), ask('b'))[0]).toBe(
      `What was asked for was 'tag{"name":"a"}', and is now 'tag{"name":"b"}'.`,
    )
  })

  test('an input, whoever gave it', () => {
    const schema = z.object({ mode: z.string().default('prod'), none: z.string().optional() })
    const made = (mode: string): Made => ({
      tasks: [task('last', { input: schema, run: noop })],
      inputs: { mode },
    })
    expect(told(made('prod'), made('prod'))).toEqual([])
    expect(told(made('prod'), made('dev'))).toEqual([
      `The input of 'last' was {"mode":"prod"} and is now {"mode":"dev"}.`,
    ])
  })

  test('what is skipped', () => {
    const on = (runs: boolean): Made => ({
      tasks: [
        task('last', {
          needs: { release: task('release', { on: 'web', when: () => runs || 'too late', run: noop }) },
          run: noop,
        }),
      ],
    })
    expect(told(on(true), on(false))).toContain("'release' was to run, and is now skipped: too late.")
    expect(told(on(false), on(true))).toContain("'release' was skipped (too late), and would now run.")
  })

  test('locks and effects; on some hosts only, these are named', () => {
    const made = (lock: string, effect: 'read' | 'write'): Made => ({
      tasks: [task('last', { on: 'web', lock, effect, run: noop })],
    })
    expect(told(made('a', 'write'), made('b', 'read'))).toEqual([
      `The effect of 'last' was "write" and is now "read".`,
      `The locks of 'last' was ["a"] and is now ["b"].`,
    ])
    const one = (name: string): Made => ({
      tasks: [task('last', { on: 'web', when: ({ host }) => host?.name !== name, run: noop })],
    })
    expect(told(one('web1'), one('nobody'))).toEqual([
      "'last' on production/web1 was skipped (not on production), and would now run.",
    ])
  })
})

describe('orders', () => {
  const first = task('first', { on: 'web', run: noop })

  test('a need that is gone, and one that is read on all hosts now', () => {
    const second = (needs: Record<string, never>): Made => ({
      tasks: [
        task('last', {
          needs: { first, second: task('second', { on: 'web', needs, run: noop }) },
          run: noop,
        }),
      ],
    })
    const own = second({ first: first as never })
    expect(told(own, second({}))).toEqual([
      "needs.first of 'second' was of 'first' on its own host, and is now not there.",
      "'second' no longer waits for 'first' (needs.first).",
    ])
    expect(told(own, second({ first: all(first) as never }))).toEqual([
      "needs.first of 'second' was of 'first' on its own host, and is now of 'first' on every host.",
    ])
  })

  test('hooks that came, went and changed places', () => {
    const [a, b] = [task('a', { run: noop }), task('b', { run: noop })]
    const hooked = (...hooks: readonly AnyTask[]): Made => ({
      tasks: [task('last', { needs: { a, b, first }, run: noop }), first],
      after: { first: hooks },
    })
    expect(told(hooked(a), hooked(a, b))).toContain("'b' is now done after 'first'.")
    expect(told(hooked(a, b), hooked(a))).toContain("'b' is no longer done after 'first'.")
    expect(told(hooked(a, b), hooked(b, a))).toEqual([
      "'a' is done after 'first' in another order, or on other hosts.",
      "'b' is done after 'first' in another order, or on other hosts.",
    ])
  })

  test('batches', () => {
    const rolling = (batch: number): Made => ({
      tasks: [task('last', { on: 'app', rolling: { batch }, run: noop })],
    })
    expect(told(rolling(1), rolling(2))).toEqual(["The batches of 'last' are others."])
  })

  test('the command line', () => {
    const tasks = [build, task('other', { run: noop })]
    expect(told({ tasks, ask: ['build', 'other'] }, { tasks, ask: ['other', 'build'] })).toEqual([
      "What was asked for was 'build' and 'other', and is now 'other' and 'build'.",
      "'other' no longer waits until 'build' is over (order on the command line).",
      "'build' now waits until 'other' is over (order on the command line).",
    ])
  })
})

test('of many differences the first ones are told', () => {
  const many = (effect: 'read' | 'write'): Made => ({
    tasks: [
      task('last', {
        needs: Object.fromEntries(
          Array.from({ length: 11 }, (_, index) => [
            `t${String(index)}`,
            task(`t${String(index)}`, { effect, run: noop }),
          ]),
        ),
        run: noop,
      }),
    ],
  })
  const sentences = told(many('read'), many('write'))
  expect(sentences).toHaveLength(9)
  expect(sentences.at(-1)).toBe('And 3 more differences.')
})

test('names that objects have anyway are names as any other', () => {
  const made = (needs: Record<string, AnyTask>): Made => ({
    tasks: [task('last', { needs: needs as Record<string, never>, run: noop })],
  })
  const constructor = task('constructor', { on: 'web', run: noop })
  expect(told(made({ constructor }), made({ constructor }))).toEqual([])
  expect(told(made({}), made({ constructor }))).toContain("'constructor' is new in the plan.")
})
