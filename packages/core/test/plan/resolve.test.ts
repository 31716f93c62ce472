import {
  all,
  group,
  isProblem,
  optional,
  resolvePlan,
  task,
  where,
  type AnyTask,
  type Plan,
} from '@deployfile/core'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { catalogOf } from './catalog-of.ts'

const noop = (): void => undefined

function edges(plan: Plan): string[] {
  return plan.edges.map(({ from, to }) => `${from} > ${to}`).sort()
}

function ids(plan: Plan): string[] {
  return plan.nodes.map(({ id }) => id).sort()
}

function planOf(
  tasks: readonly AnyTask[],
  stage = 'production',
  names = tasks.slice(-1).map(({ name }) => name),
): Plan {
  return resolvePlan(catalogOf({ tasks }), { stage, tasks: names })
}

function problemOf(make: () => unknown): { code: string; message: string; hint: string | undefined } {
  try {
    make()
  } catch (thrown) {
    if (isProblem(thrown)) return { code: thrown.code, message: thrown.message, hint: thrown.details.hint }
    throw thrown
  }
  throw new Error('nothing was thrown')
}

describe('nodes and need edges', () => {
  const build = task('build', { run: () => ({ dir: 'dist' }) })
  const upload = task('upload', { on: 'web', needs: { build }, run: () => ({ path: 'x' }) })

  test('a task with `on` is one node a host; control machine tasks have no @', () => {
    const plan = planOf([build, upload])
    expect(ids(plan)).toEqual(['build', 'upload@production/web1', 'upload@production/web2'])
    expect(edges(plan)).toEqual(['build > upload@production/web1', 'build > upload@production/web2'])
  })

  test('a per-host need of a per-host task is an edge on that host only', () => {
    const check = task('check', { on: 'web', needs: { upload }, run: noop })
    const plan = planOf([check])
    expect(edges(plan)).toContain('upload@production/web1 > check@production/web1')
    expect(edges(plan)).not.toContain('upload@production/web1 > check@production/web2')
    const node = plan.nodes.find(({ id }) => id === 'check@production/web2')
    expect(node?.needs).toEqual({ upload: { kind: 'one', node: 'upload@production/web2' } })
  })

  test('any other per-host need is a barrier with one join, never hosts × hosts edges', () => {
    const check = task('check', { on: 'web', needs: { every: all(upload) }, run: noop })
    const done = group('done', { check })
    const plan = planOf([done])
    expect(ids(plan)).toContain('all(upload)')
    expect(edges(plan).filter((edge) => edge.includes('all(upload)'))).toEqual([
      'all(upload) > check@production/web1',
      'all(upload) > check@production/web2',
      'upload@production/web1 > all(upload)',
      'upload@production/web2 > all(upload)',
    ])
    expect(edges(plan)).toContain('all(check) > done')
  })

  test('a dependent on a host where its need does not run is refused, with what to write instead', () => {
    const warm = task('warm', { on: 'app', needs: { upload }, run: noop })
    expect(problemOf(() => planOf([warm]))).toEqual({
      code: 'NEED_NOT_ON_HOST',
      message: "'warm' runs on db1 where 'upload' does not",
      hint: "Read every host's result instead, needs: { upload: all(upload) }, or let both run on the same hosts.",
    })
  })

  test('the primary is the host marked so, else the first listed', () => {
    const one = task('one', { on: { role: 'app', pick: 'primary' }, run: noop })
    expect(ids(planOf([one]))).toEqual(['one@production/web1'])
    const any = task('any', {
      on: { role: where(({ roles }) => roles.includes('db')), pick: 'primary' },
      run: noop,
    })
    expect(ids(planOf([any]))).toEqual(['any@production/db1'])
  })

  test('a task may stand on another stage than the run', () => {
    const dump = task('dump', { on: { stage: 'production', role: 'db', pick: 'primary' }, run: () => 'file' })
    const restore = task('restore', { on: { role: 'db', pick: 'primary' }, needs: { dump }, run: noop })
    expect(edges(planOf([restore], 'dev'))).toEqual(['dump@production/db1 > restore@dev/localhost'])
  })

  test('bound input is part of the id, keys sorted, and the same input is one node', () => {
    const input = z.object({ a: z.number().default(1), b: z.string().optional() })
    const base = task('base', { input, run: noop })
    const user = group('user', { x: base.with({ b: 'x', a: 2 }), y: base.with({ a: 2, b: 'x' }), z: base })
    const plan = planOf([user])
    expect(ids(plan)).toEqual(['base', 'base{"a":2,"b":"x"}', 'user'])
    expect(plan.nodes.find(({ id }) => id === 'base')?.input).toEqual({ a: 1 })
  })
})

describe('optional', () => {
  const migrate = task('migrate', { on: { role: 'db', pick: 'primary' }, run: () => 1 })
  const publish = task('publish', { needs: { migrate: optional(migrate) }, run: noop })

  test('plans nothing by itself', () => {
    const plan = planOf([publish])
    expect(ids(plan)).toEqual(['publish'])
    expect(plan.nodes[0]?.needs).toEqual({ migrate: { kind: 'none' } })
  })

  test('is an edge and a value when something else plans it', () => {
    const both = group('both', { migrate, publish })
    const plan = planOf([both])
    expect(edges(plan)).toContain('migrate@production/db1 > publish')
    expect(plan.nodes.find(({ id }) => id === 'publish')?.needs).toEqual({
      migrate: { kind: 'one', node: 'migrate@production/db1' },
    })
  })
})

describe('when', () => {
  test('what is skipped stays in the plan with its reason, and what only it needed does not', () => {
    const prepare = task('prepare', { run: noop })
    const risky = task('risky', {
      needs: { prepare },
      when: ({ stage }) => !stage.protected || 'not here',
      run: noop,
    })
    const after = group('after', { risky })
    const plan = planOf([after])
    expect(ids(plan)).toEqual(['after', 'risky'])
    expect(plan.nodes.find(({ id }) => id === 'risky')?.skip).toBe('not here')
    expect(ids(planOf([after], 'dev'))).toEqual(['after', 'prepare', 'risky'])
  })

  test('may say no to one host', () => {
    const some = task('some', { on: 'web', when: ({ host }) => host?.name === 'web1', run: noop })
    expect(planOf([some]).nodes.map(({ id, skip }) => [id, skip])).toEqual([
      ['some@production/web1', undefined],
      ['some@production/web2', 'not on production'],
    ])
  })
})

describe('hooks', () => {
  const release = task('release', { on: 'web', run: noop })
  const updated = group('updated', { release })

  test('stand between start and body, and between body and end; needs enter at start, dependents leave from end', () => {
    const note = task('note', { run: noop })
    const notify = task('notify', { run: noop })
    const done = group('done', { updated })
    const catalog = catalogOf({ tasks: [done], before: { updated: [note] }, after: { updated: [notify] } })
    expect(edges(resolvePlan(catalog, { stage: 'production', tasks: ['done'] }))).toEqual([
      'all(release) > updated.start',
      'note > updated',
      'notify > updated.end',
      'release@production/web1 > all(release)',
      'release@production/web2 > all(release)',
      'updated > notify',
      'updated.end > done',
      'updated.start > note',
    ])
  })

  test('a hook on the hosts of the task stands in each host’s own chain', () => {
    const warm = task('warm', { on: 'web', run: noop })
    const catalog = catalogOf({ tasks: [release], before: { release: [warm] } })
    const plan = resolvePlan(catalog, { stage: 'production', tasks: ['release'] })
    expect(edges(plan)).toEqual([
      'release.start@production/web1 > warm@production/web1',
      'release.start@production/web2 > warm@production/web2',
      'release@production/web1 > release.end@production/web1',
      'release@production/web2 > release.end@production/web2',
      'warm@production/web1 > release@production/web1',
      'warm@production/web2 > release@production/web2',
    ])
  })

  test('a hook elsewhere is a barrier between all hosts', () => {
    const stop = task('stop', { on: 'db', run: noop })
    const catalog = catalogOf({ tasks: [release], before: { release: [stop] } })
    const plan = resolvePlan(catalog, { stage: 'production', tasks: ['release'] })
    expect(edges(plan)).toContain('before(release) > stop@production/db1')
    expect(edges(plan)).toContain('stop@production/db1 > release@production/web1')
    expect(edges(plan)).toContain('stop@production/db1 > release@production/web2')
  })

  test('a hook that has no host here is dropped, and the plan says so', () => {
    const stages = { lone: { hosts: { a: { roles: ['web'] } } }, other: { hosts: { b: { roles: ['db'] } } } }
    const hook = task('hook', { on: 'db', run: noop })
    const catalog = catalogOf({
      tasks: [release],
      before: { release: [hook] },
      ...{ stages, defaultStage: 'lone' },
    })
    const plan = resolvePlan(catalog, { tasks: ['release'] })
    expect(ids(plan)).toEqual(['release@lone/a'])
    expect(plan.notes).toEqual([
      "the hook 'hook' of 'release' is dropped: the stage 'lone' has no host for it",
    ])
  })

  test('a hook that needs what it stands before is a cycle, told with every step', () => {
    const late = task('late', { needs: { release: all(release) }, run: noop })
    const catalog = catalogOf({ tasks: [release], before: { release: [late] } })
    const { code, message } = problemOf(() =>
      resolvePlan(catalog, { stage: 'production', tasks: ['release'] }),
    )
    expect(code).toBe('CYCLE')
    expect(message).toContain('late runs before release@production/')
    expect(message).toContain("before: { 'release': [late] }")
    expect(message).toContain('needs.release')
  })
})

describe('several tasks', () => {
  const shared = task('shared', { run: noop })
  const first = task('first', { needs: { shared }, run: noop })
  const second = task('second', { needs: { shared }, run: noop })

  test('each starts after the one before is over, what they share runs once', () => {
    const plan = planOf([first, second], 'dev', ['first', 'second'])
    expect(ids(plan)).toEqual(['first', 'second', 'shared'])
    expect(plan.edges.find(({ from, to }) => from === 'first' && to === 'second')).toMatchObject({
      kind: 'settled',
      reason: { type: 'command line' },
    })
  })

  test('an order that the needs contradict is refused', () => {
    const after = task('after', { needs: { first: optional(first) }, run: noop })
    expect(problemOf(() => planOf([after, first], 'dev', ['after', 'first'])).code).toBe('CYCLE')
  })
})

describe('task values as requests', () => {
  const tag = task('tag', {
    input: z.object({ name: z.string().default('none') }),
    run: ({ input }) => input.name,
  })
  const both = task('both', { needs: { one: tag.with({ name: 'one' }) }, run: noop })

  test('are looked up by name, and bring the input that they were given', () => {
    const plan = resolvePlan(catalogOf({ tasks: [tag, both] }), {
      tasks: [tag.with({ name: 'two' }), tag, both, both],
    })
    expect(plan.requested).toEqual(['tag', 'tag', 'both', 'both'])
    expect(plan.nodes.map(({ id, input }) => [id, input])).toEqual([
      ['tag{"name":"two"}', { name: 'two' }],
      ['tag', { name: 'none' }],
      ['tag{"name":"one"}', { name: 'one' }],
      ['both', undefined],
    ])
    expect(edges(plan)).toContain('tag{"name":"two"} > tag')
  })

  test('a name means the task without input, also where the config holds it with input only', () => {
    const plan = resolvePlan(catalogOf({ tasks: [both] }), { tasks: ['tag'], inputs: { name: 'three' } })
    expect(plan.nodes.map(({ id, input }) => [id, input])).toEqual([['tag', { name: 'three' }]])
  })

  test('a value that the config does not have is an unknown task', () => {
    const stranger = task('stranger', { run: noop })
    expect(problemOf(() => resolvePlan(catalogOf({ tasks: [tag] }), { tasks: [stranger] }))).toMatchObject({
      code: 'TASK_UNKNOWN',
      message: "there is no task 'stranger'",
    })
  })
})

describe('what is wrong is said with what is right', () => {
  const migrate = task('deploy:migrate', { on: 'db', run: noop })

  test.each([
    [
      'unknown task',
      () => planOf([migrate], 'dev', ['deploy:migrat']),
      "there is no task 'deploy:migrat'",
      "Did you mean 'deploy:migrate'?",
    ],
    [
      'task without its prefix',
      () => planOf([migrate], 'dev', ['migrate']),
      "there is no task 'migrate'",
      "Did you mean 'deploy:migrate'?",
    ],
    [
      'unknown stage',
      () => planOf([migrate], 'prodution'),
      "there is no stage 'prodution'",
      "Did you mean 'production'?",
    ],
    [
      'far from everything',
      () => planOf([migrate], 'x'),
      "there is no stage 'x'",
      'The stages are: dev, production.',
    ],
  ])('%s', (_title, make, message, hint) => {
    expect(problemOf(make)).toMatchObject({ message, hint })
  })

  test('a needed task without a host', () => {
    const stages = { lone: { hosts: { a: { roles: ['web'] } } }, other: { hosts: { b: { roles: ['db'] } } } }
    const catalog = catalogOf({ tasks: [migrate], ...{ stages, defaultStage: 'lone' } })
    expect(problemOf(() => resolvePlan(catalog, { tasks: ['deploy:migrate'] }))).toEqual({
      code: 'NO_HOST',
      message: "'deploy:migrate' has nowhere to run: the stage 'lone' has no host with the role 'db'",
      hint: "Give a host of 'lone' that role in the config, or choose another stage.",
    })
  })
})

test('a chain of 10,000 needs is planned without a stack overflow, in order', { timeout: 60_000 }, () => {
  let last: AnyTask = task('t0', { run: noop })
  for (let index = 1; index < 10_000; index++)
    last = task(`t${String(index)}`, { needs: { last }, run: noop })
  const plan = planOf([last], 'dev')
  expect(plan.nodes).toHaveLength(10_000)
  expect(plan.nodes[0]?.id).toBe('t0')
  expect(plan.nodes.at(-1)?.id).toBe('t9999')
})

test('the same config gives the same plan', () => {
  const a = task('a', { on: 'web', run: noop })
  const b = task('b', { needs: { a }, run: noop })
  expect(JSON.stringify(planOf([a, b]))).toBe(JSON.stringify(planOf([a, b])))
})
