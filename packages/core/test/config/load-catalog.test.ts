import { loadCatalog, recipe, task, type Problem } from '@deployfile/core'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { problemOf as problemThrown } from '../problem-of.ts'

const noop = (): void => undefined
const web = { hosts: { web1: { roles: ['web'] } } }

function load(source: unknown): ReturnType<typeof loadCatalog> {
  return loadCatalog({
    '~config': 1,
    location: { file: '/app/deploy.config.ts', line: 7, column: 16 },
    source,
  })
}

const problemOf = (source: unknown): Problem => problemThrown(() => load(source))

describe('a config that is right', () => {
  test('gives stages with hosts in their order and defaults filled in', () => {
    const { stages, defaultStage } = load({
      stages: {
        dev: {
          hosts: { b: { roles: ['web'], transport: 'local' }, a: { roles: [], address: 'me@10.0.0.7:2222' } },
        },
        live: { protected: true, hosts: {} },
      },
      defaultStage: 'dev',
    })
    expect(defaultStage).toBe('dev')
    expect(stages.get('live')?.stage).toEqual({ name: 'live', protected: true })
    expect(stages.get('dev')?.hosts).toEqual([
      {
        name: 'b',
        stage: 'dev',
        roles: ['web'],
        transport: 'local',
        address: 'b',
        primary: false,
        props: {},
      },
      {
        name: 'a',
        stage: 'dev',
        roles: [],
        transport: 'ssh',
        address: 'me@10.0.0.7:2222',
        primary: false,
        props: {},
      },
    ])
  })

  test('knows tasks of recipes, listed ones, hooks, and what only they need', () => {
    const hidden = task('hidden', { run: noop })
    const listed = task('listed', { needs: { hidden }, run: noop })
    const hook = task('hook', { run: noop })
    const shipped = task('shipped', { run: noop })
    const { tasks, before } = load({
      stages: { web },
      use: [recipe({ shipped })],
      tasks: [listed],
      before: { listed: [hook] },
    })
    expect([...tasks.keys()].sort()).toEqual(['hidden', 'hook', 'listed', 'shipped'])
    expect(before.get('listed')).toEqual([hook])
  })

  test('the same task with other input is no double name', () => {
    const base = task('base', { input: z.object({ a: z.string().optional() }), run: noop })
    expect([...load({ stages: { web }, tasks: [base, base.with({ a: 'x' })] }).tasks.keys()]).toEqual([
      'base',
    ])
  })
})

describe('a config that is wrong is told where and what to write', () => {
  test.each<[string, unknown, string, string | undefined, string | undefined]>([
    [
      'unknown key',
      { stages: { web }, task: [] },
      "the config has the unknown key 'task'",
      'task',
      "Did you mean 'tasks'?",
    ],
    [
      'unknown key of a stage',
      { stages: { web: { ...web, protectd: true } } },
      "the stage 'web' has the unknown key 'protectd'",
      'protectd',
      "Did you mean 'protected'?",
    ],
    [
      'unknown key of a host',
      { stages: { web: { hosts: { web1: { roles: [], colour: 1 } } } } },
      "the host 'web1' of the stage 'web' has the unknown key 'colour'",
      'colour',
      'It may have: roles, address, user, port, transport, primary, hostKey, hostKeys, path, login, sudo, root, props.',
    ],
    [
      'wrong type',
      { stages: { web: { hosts: { web1: { roles: 'web' } } } } },
      "roles of the host 'web1' of the stage 'web': 'web' is not a list",
      'roles',
      "Write it as a list: ['web']",
    ],
    [
      'bad port',
      { stages: { web: { hosts: { web1: { roles: [], port: 70000 } } } } },
      "port of the host 'web1' of the stage 'web': 70000 is not a whole number from 1 to 65535",
      'port',
      undefined,
    ],
    [
      'bad address',
      { stages: { web: { hosts: { web1: { roles: [], address: '-oProxyCommand=x' } } } } },
      "address of the host 'web1' of the stage 'web': the address '-oProxyCommand=x' starts with a dash, which ssh would take for an option",
      'address',
      undefined,
    ],
    [
      'not a task',
      { stages: { web }, tasks: ['build'] },
      "the config's tasks.0 is not a task: give the value that task(…) or group(…) returns",
      'tasks',
      undefined,
    ],
    [
      'not a recipe',
      { stages: { web }, use: [{}] },
      "the config's use.0 is not a recipe: give the value that recipe(…), deploy(…) or postgres(…) returns",
      'use',
      undefined,
    ],
    [
      'unknown default stage',
      { stages: { web }, defaultStage: 'wed' },
      "defaultStage names the unknown stage 'wed'",
      'defaultStage',
      "Did you mean 'web'?",
    ],
    [
      'a stage named like a command',
      { stages: { runs: web } },
      "a stage cannot be named 'runs': that word is a command of deployfile",
      'runs',
      undefined,
    ],
    [
      'a hook on an unknown task',
      {
        stages: { web },
        tasks: [task('assets:build', { run: noop })],
        before: { 'assets:biuld': [task('h', { run: noop })] },
      },
      "before names the unknown task 'assets:biuld'",
      'assets:biuld',
      "Did you mean 'assets:build'?",
    ],
  ])('%s', (_title, source, message, key, hint) => {
    const problem = problemOf(source)
    expect([problem.kind, problem.message, problem.details.key, problem.details.hint]).toEqual([
      'usage',
      message,
      key,
      hint,
    ])
    expect(problem.details.location).toEqual({ file: '/app/deploy.config.ts', line: 7, column: 16 })
  })

  test('two tasks of one name, with both places', () => {
    const problem = problemOf({
      stages: { web },
      tasks: [task('same', { run: noop }), task('same', { run: noop })],
    })
    expect(problem.message).toBe("two different tasks are named 'same'")
    expect(problem.details.location?.file).toMatch(/load-catalog\.test\.ts$/)
    expect(problem.details.hint).toMatch(
      /^Rename one of them\. The other one is at .*load-catalog\.test\.ts:\d+\.$/,
    )
  })

  test('a role that no host of any stage has', () => {
    const problem = problemOf({ stages: { web }, tasks: [task('warm', { on: 'wbe', run: noop })] })
    expect([problem.message, problem.details.hint]).toEqual([
      "the task 'warm' runs on the role 'wbe', which no host of any stage has",
      "Did you mean 'web'?",
    ])
    const lenient = task('warm', { on: 'wbe', onNoHost: 'skip', run: noop })
    expect(load({ stages: { web }, tasks: [lenient] }).tasks.has('warm')).toBe(true)
  })

  test('an input that every command line has already', () => {
    const problem = problemOf({
      stages: { web },
      tasks: [task('t', { input: z.object({ stage: z.string() }), run: noop })],
    })
    expect(problem.message).toBe(
      "the task 't' cannot have the input 'stage': it means the same on every command line",
    )
  })
})

test('a chain of 10,000 needs loads without a stack overflow', { timeout: 60_000 }, () => {
  let last = task('t0', { run: noop })
  for (let index = 1; index < 10_000; index++)
    last = task(`t${index}`, { needs: { last }, run: noop }) as typeof last
  expect(load({ stages: { web }, tasks: [last] }).tasks.size).toBe(10_000)
})

describe('names that cannot be typed or shown', () => {
  const one = task('one', { run: () => 1 })
  const NOT_A_STAGE = "A stage's name is one word without @ / { } =, not starting with a dash."
  const NOT_A_HOST = 'A host name is one word without @ / { }.'

  test.each([
    ['', NOT_A_STAGE],
    ['two words', NOT_A_STAGE],
    ['a=b', NOT_A_STAGE],
    ['--yes', NOT_A_STAGE],
    ['prod\u001b[31m', NOT_A_STAGE],
  ])('a stage called %j', (name, hint) => {
    const problem = problemThrown(() => load({ stages: { [name]: { hosts: {} } }, tasks: [one] }))
    expect(problem.message).toBe(`${JSON.stringify(name)} cannot be the name of a stage`)
    expect(problem.details.hint).toBe(hint)
  })

  test.each(['', 'two words', 'deploy@web1', 'web1\n', 'a\u0007'])('a host called %j', (name) => {
    const hosts = { [name]: { roles: [], address: 'web1' } }
    const problem = problemThrown(() => load({ stages: { dev: { hosts } }, tasks: [one] }))
    expect(problem.message).toBe(`${JSON.stringify(name)} cannot be the name of a host of the stage 'dev'`)
    expect(problem.details.hint).toBe(NOT_A_HOST)
  })

  test('a hook of no task is refused also where nothing hangs on it', () => {
    const config = { stages: { dev: { hosts: {} } }, tasks: [one], before: { oen: [] } }
    expect(problemThrown(() => load(config)).message).toBe("before names the unknown task 'oen'")
  })

  test('where there is nothing to choose from, that is said', () => {
    const web = task('web', { on: 'web', run: () => 1 })
    const problem = problemThrown(() => load({ stages: { dev: { hosts: {} } }, tasks: [web] }))
    expect(problem.details.hint).toBe('There are no roles.')
  })
})
