import { group, namespace, override, recipe, resolvePlan, task, type AnyTask } from '@deployfile/core'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { catalogOf } from '../plan/catalog-of.ts'
import { problemOf } from '../problem-of.ts'

const noop = (): void => undefined

const migrate = task('deploy:migrate', {
  aliases: ['migrate', 'db:up'],
  input: z.object({ step: z.string().optional() }),
  run: noop,
})

describe('an alias', () => {
  test('asks for its task, which the plan calls by its own name', () => {
    const plan = resolvePlan(catalogOf({ tasks: [migrate] }), { stage: 'dev', tasks: ['db:up'] })
    expect(plan.requested).toEqual(['deploy:migrate'])
    expect(plan.nodes.map(({ id }) => id)).toEqual(['deploy:migrate'])
  })

  test('gives its task input', () => {
    const plan = resolvePlan(catalogOf({ tasks: [migrate] }), {
      stage: 'dev',
      tasks: ['migrate'],
      inputs: { 'db:up.step': '3' },
    })
    expect(plan.nodes[0]?.input).toEqual({ step: '3' })
  })

  test('is guessed, and the guess says what it is of', () => {
    const catalog = catalogOf({ tasks: [migrate] })
    const hint = (name: string) =>
      problemOf(() => resolvePlan(catalog, { stage: 'dev', tasks: [name] })).details.hint
    expect(hint('migrat')).toBe("Did you mean 'migrate', an alias of 'deploy:migrate'?")
    expect(hint('deploy:migrat')).toBe("Did you mean 'deploy:migrate'?")
  })

  test('belongs to groups too, gets the prefix of a namespace, and stays when its task is overridden', () => {
    const all = group('all', { migrate }, { aliases: ['everything'] })
    const api = namespace('api', recipe({ migrate, all }))
    const other = override(api.tasks.migrate, { run: noop })
    const catalog = catalogOf({ use: [api], tasks: [other] })
    expect([...catalog.aliases]).toEqual([
      ['api:migrate', 'api:deploy:migrate'],
      ['api:db:up', 'api:deploy:migrate'],
      ['api:everything', 'api:all'],
    ])
  })
})

describe('an alias cannot be', () => {
  const placeOf = (one: AnyTask): string => {
    const { location } = one['~task']
    return `${import.meta.filename}:${String(location?.line)}`
  }

  test('the name of another task', () => {
    const other = task('db:up', { run: noop })
    const problem = problemOf(() => catalogOf({ tasks: [migrate, other] }))
    expect(problem.message).toBe("'db:up' is an alias of 'deploy:migrate' and the name of another task")
    expect(problem.details.location).toEqual(migrate['~task'].location)
    expect(problem.details.hint).toBe(`Take 'db:up' out of aliases. The other task is at ${placeOf(other)}.`)
  })

  test('an alias of another task', () => {
    const other = task('other', { aliases: ['migrate'], run: noop })
    const problem = problemOf(() => catalogOf({ tasks: [migrate, other] }))
    expect(problem.message).toBe("'migrate' is an alias of both 'deploy:migrate' and 'other'")
    expect(problem.details.location).toEqual(other['~task'].location)
    expect(problem.details.hint).toBe(
      `Take 'migrate' out of aliases. The other task is at ${placeOf(migrate)}.`,
    )
  })

  test("its own task's name, or a word of the command line", () => {
    const self = task('self', { aliases: ['self'], run: noop })
    expect(problemOf(() => catalogOf({ tasks: [self] })).message).toBe("'self' is an alias of itself")
    const word = task('word', { aliases: ['doctor'], run: noop })
    expect(problemOf(() => catalogOf({ tasks: [word] })).message).toBe(
      "'doctor' cannot be an alias of 'word': that word is a command of deployfile",
    )
  })

  test('what no name can be', () => {
    expect(problemOf(() => task('t', { aliases: ['two words'], run: noop })).message).toBe(
      '"two words" cannot be the name of a task',
    )
    expect(problemOf(() => task('t', { aliases: 'x' as unknown as string[], run: noop })).message).toBe(
      "the aliases of the task 't' are no list of names",
    )
  })

  test('the key of a hook', () => {
    const problem = problemOf(() =>
      catalogOf({ tasks: [migrate], before: { migrate: [task('h', { run: noop })] } }),
    )
    expect(problem.message).toBe("before names 'migrate', an alias of 'deploy:migrate'")
    expect(problem.details.hint).toBe("Hooks go by a task's own name: write 'deploy:migrate'.")
  })
})
