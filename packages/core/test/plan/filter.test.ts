import { all, group, optional, requestOf, resolvePlan, task, where, type Plan } from '@deployfile/core'
import { describe, expect, test } from 'vitest'
import { problemOf } from '../problem-of.ts'
import { catalogOf, STAGES, type Parts } from './catalog-of.ts'

const noop = (): void => undefined

interface Filters {
  readonly hosts?: readonly string[]
  readonly roles?: readonly string[]
  readonly skip?: readonly string[]
}

function planOf(
  parts: Parts,
  filters: Filters,
  tasks: readonly string[] = ['last'],
  stage = 'production',
): Plan {
  return resolvePlan(catalogOf(parts), { stage, tasks, ...filters })
}

function ids(plan: Plan): string[] {
  return plan.nodes.map(({ id }) => id).sort()
}

function refusal(parts: Parts, filters: Filters, tasks?: readonly string[]): string {
  const { kind, code, message, details } = problemOf(() => planOf(parts, filters, tasks))
  expect(kind).toBe('usage')
  return `${code}: ${message} | ${details.hint ?? ''}`
}

const release = task('release', { on: 'app', run: noop })
const migrate = task('migrate', { on: { role: 'db', pick: 'primary' }, run: noop })

describe('hosts and roles', () => {
  const last = task('last', { needs: { release }, run: noop })

  test.each([
    [{ hosts: ['web1'] }, ['web1']],
    [{ hosts: ['db1', 'web2'] }, ['db1', 'web2']],
    [{ roles: ['web'] }, ['web1', 'web2']],
    [{ roles: ['web', 'db'] }, ['db1', 'web1', 'web2']],
    [{ hosts: ['web2', 'db1'], roles: ['web'] }, ['web2']],
  ])('%j leaves %j', (filters, left) => {
    const plan = planOf({ tasks: [last] }, filters)
    expect(ids(plan).filter((id) => id.startsWith('release@'))).toEqual(
      left.map((name) => `release@production/${name}`),
    )
    expect(plan.perHost?.['release']?.map(({ host }) => host).sort()).toEqual(left)
    expect(Object.keys(plan.hosts).sort()).toEqual(left.map((name) => `production/${name}`))
  })

  test('whom they leave out is noted', () => {
    expect(planOf({ tasks: [last] }, { hosts: ['web1'] }).notes).toEqual([
      "--hosts web1 leaves out web2 and db1 of 'production'",
    ])
    expect(planOf({ tasks: [last] }, { hosts: ['web1'], roles: ['app', 'web'] }).notes).toEqual([
      "--hosts web1 --roles app,web leaves out web2 and db1 of 'production'",
    ])
    expect(planOf({ tasks: [last] }, { roles: ['app'] }).notes).toEqual([])
  })

  test('a plan holds them, and asks for them again', () => {
    const filters = { hosts: ['web1'], roles: ['app'], skip: ['release'] }
    const loose = group('last', { release })
    const catalog = catalogOf({ tasks: [loose] })
    const plan = resolvePlan(catalog, { stage: 'production', tasks: ['last'], ...filters })
    expect(plan.from).toMatchObject(filters)
    expect(resolvePlan(catalog, requestOf(JSON.parse(JSON.stringify(plan)) as Plan))).toEqual(plan)
  })

  test('batches are of the hosts that are left', () => {
    const rolling = task('last', { on: 'app', rolling: { batch: '50%' }, run: noop })
    const joins = (filters: Filters): number =>
      planOf({ tasks: [rolling] }, filters).nodes.filter(({ kind }) => kind === 'join').length
    expect(joins({})).toBe(2)
    expect(joins({ roles: ['web'] })).toBe(1)
  })

  test('another stage is not filtered', () => {
    const dump = task('dump', { on: { stage: 'production', role: 'db' }, run: noop })
    const restore = task('last', { on: 'db', needs: { dump: all(dump) }, run: noop })
    const plan = planOf({ tasks: [restore] }, { hosts: ['localhost'] }, ['last'], 'dev')
    expect(ids(plan)).toEqual(['dump@production/db1', 'last@dev/localhost'])
  })

  test('the primary is picked before: no other host takes its place', () => {
    const one = task('last', { on: { role: 'app', pick: 'primary' }, run: noop })
    expect(ids(planOf({ tasks: [one] }, { hosts: ['web1'] }))).toEqual(['last@production/web1'])
    expect(refusal({ tasks: [one] }, { hosts: ['web2'] })).toBe(
      "NO_HOST: 'last' has nowhere to run: --hosts web2 leaves out web1 | Let it in, or do not ask for 'last'.",
    )
  })

  test('a condition on hosts is asked once for each host, and then filtered', () => {
    const asked: string[] = []
    const on = where(({ name }) => asked.push(name) > 0)
    expect(ids(planOf({ tasks: [task('last', { on, run: noop })] }, { hosts: ['web2'] }))).toEqual([
      'last@production/web2',
    ])
    expect(asked).toEqual(['web1', 'web2', 'db1'])
  })
})

describe('a task that a filter leaves without a host', () => {
  test('is refused where it is needed, with what to do', () => {
    const last = task('last', { needs: { migrate }, run: noop })
    expect(refusal({ tasks: [last] }, { roles: ['web'] })).toBe(
      "NO_HOST: 'migrate' has nowhere to run: --roles web leaves out db1 | Let it in, or leave the task out: --skip migrate.",
    )
  })

  test('says that the stage has none where it has none anyway', () => {
    const other = task('last', { on: 'cache', onNoHost: 'error', run: noop })
    const stages = { ...STAGES, dev: { hosts: { here: { roles: ['cache'], transport: 'local' } } } }
    expect(refusal({ tasks: [other], stages }, { roles: ['web'] })).toBe(
      "NO_HOST: 'last' has nowhere to run: the stage 'production' has no host with the role 'cache' | Give a host of 'production' that role in the config, or choose another stage.",
    )
  })

  test('is left out with a note where it allows that', () => {
    const lenient = task('lenient', { on: 'db', onNoHost: 'skip', run: noop })
    const plan = planOf({ tasks: [group('last', { lenient, release })] }, { hosts: ['web1'] })
    expect(ids(plan)).toEqual(['last', 'release@production/web1'])
    expect(plan.notes).toEqual([
      "--hosts web1 leaves out web2 and db1 of 'production'",
      "'lenient' is left out: --hosts web1 leaves out db1",
    ])
  })

  test('is dropped with a note where it is a hook', () => {
    const warm = task('warm', { on: 'db', run: noop })
    const last = task('last', { on: 'web', run: noop })
    const plan = planOf({ tasks: [last], after: { last: [warm] }, onFailure: [migrate] }, { hosts: ['web1'] })
    expect(ids(plan)).toEqual(['last@production/web1'])
    expect(plan.notes).toEqual([
      "--hosts web1 leaves out web2 and db1 of 'production'",
      "the hook 'warm' of 'last' is dropped: --hosts web1 leaves out db1",
      "the hook 'migrate' of 'onFailure' is dropped: --hosts web1 leaves out db1",
    ])
  })
})

describe('names that there are not', () => {
  const last = task('last', { on: 'web', run: noop })

  test.each([
    [{ hosts: ['wbe1'] }, "the stage 'production' has no host 'wbe1' | Did you mean 'web1'?"],
    [{ hosts: ['localhost'] }, "the stage 'production' has no host 'localhost' | It is one of 'dev'."],
    [
      { hosts: ['far-away'] },
      "the stage 'production' has no host 'far-away' | Its hosts are: web1, web2, db1.",
    ],
    [{ roles: ['ap'] }, "no host of the stage 'production' has the role 'ap' | Did you mean 'app'?"],
    [
      { roles: ['mail'] },
      "no host of the stage 'production' has the role 'mail' | Its roles are: app, web, db.",
    ],
    [{ skip: ['lats'] }, "there is no task 'lats' that could be skipped | Did you mean 'last'?"],
  ])('%j', (filters, message) => {
    expect(refusal({ tasks: [last] }, filters)).toBe(`FILTER_UNKNOWN: ${message}`)
  })

  test('names that match nothing together, and lists of none', () => {
    expect(refusal({ tasks: [last] }, { hosts: ['web1'], roles: ['db'] })).toBe(
      "FILTER_EMPTY: --hosts web1 --roles db leaves no host of the stage 'production' | The hosts with that role are: db1.",
    )
    // A list that a script made, and that came out empty, does not mean all.
    expect(refusal({ tasks: [last] }, { hosts: [] })).toBe(
      "FILTER_EMPTY: --hosts leaves no host of the stage 'production' | Name at least one, or leave the filter out.",
    )
  })
})

describe('skip', () => {
  const build = task('build', { run: noop })
  const assets = task('assets', { needs: { build }, run: noop })

  test('takes a member of a group, its hooks, and what only it needed', () => {
    const hook = task('hook', { run: noop })
    const last = group('last', { assets, release })
    const plan = planOf({ tasks: [last], before: { assets: [hook] } }, { skip: ['assets'] })
    expect(ids(plan).filter((id) => !id.includes('release'))).toEqual(['last'])
    expect(plan.notes).toEqual(["--skip assets leaves out 'assets', its hooks, and what nothing else needs"])
  })

  test('what others need stays', () => {
    const last = group('last', { assets, build })
    expect(ids(planOf({ tasks: [last] }, { skip: ['assets'] }))).toEqual(['build', 'last'])
  })

  test('takes a hook, an optional need, a task of onFailure, all inputs of a task, and finds it by an alias', () => {
    const hook = task('hook', { aliases: ['h'], run: noop })
    const late = task('late', { run: noop })
    const last = task('last', { needs: { build: optional(build) }, run: noop })
    const parts = { tasks: [last, build], after: { last: [hook] }, onFailure: [late] }
    const plan = planOf(parts, { skip: ['h', 'late', 'build'] })
    expect(ids(plan)).toEqual(['last'])
    expect(plan.onFailure).toBeUndefined()
    expect(plan.notes).toEqual([
      "--skip hook leaves out 'hook', its hooks, and what nothing else needs",
      "--skip late leaves out 'late', its hooks, and what nothing else needs",
      '--skip build changes nothing: it would not have run',
    ])
  })

  test('is refused where a body relies on it', () => {
    const last = group('last', { assets })
    expect(refusal({ tasks: [last] }, { skip: ['build'] })).toBe(
      "SKIP_NEEDED: --skip build leaves out what 'assets' needs | Skip 'assets', too (--skip assets), or let it do without: optional(…) around that need.",
    )
    expect(ids(planOf({ tasks: [last] }, { skip: ['build', 'assets'] }))).toEqual(['last'])
  })

  test('is refused for what is asked for', () => {
    expect(refusal({ tasks: [assets] }, { skip: ['assets'] }, ['assets'])).toBe(
      "SKIP_REQUESTED: 'assets' is both asked for and skipped | Leave one of them out: the task, or --skip assets.",
    )
  })
})
