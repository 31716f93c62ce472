import { requestOf, resolvePlan, secret, task, type Plan } from '@deployfile/core'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { problemOf } from '../problem-of.ts'
import { catalogOf } from './catalog-of.ts'

const tag = task('tag', {
  aliases: ['label'],
  input: z.object({ name: z.string(), token: z.unknown().optional() }),
  run: () => 1,
})
const count = task('count', { input: z.object({ to: z.number().default(3) }), run: () => 1 })
const catalog = catalogOf({ tasks: [tag, count] })

/** As a journal gives it back. */
function recorded(plan: Plan): Plan {
  return JSON.parse(JSON.stringify(plan)) as Plan
}

test('a plan holds what it was made from, and asking for that again makes the same plan', () => {
  const plan = resolvePlan(catalog, {
    stage: 'production',
    tasks: ['count', tag.with({ name: 'one' })],
    inputs: { to: '4' },
  })
  expect(plan.from).toEqual({
    stage: 'production',
    tasks: [{ name: 'count' }, { name: 'tag', input: { name: 'one' } }],
    inputs: { to: '4' },
  })
  expect(resolvePlan(catalog, requestOf(recorded(plan)))).toEqual(plan)
})

test('the default stage and aliases are held by their own names: the config may name others later', () => {
  const { from } = resolvePlan(catalog, { tasks: ['label'], inputs: { name: 'one' } })
  expect(from).toMatchObject({ stage: 'dev', tasks: [{ name: 'tag' }] })
})

test('a secret is held by its name, and read anew', () => {
  const plan = resolvePlan(catalog, { tasks: [tag.with({ name: 'one', token: secret.env('TOKEN') })] })
  const text = JSON.stringify(plan)
  expect(text).toContain('"token":{"$secret":"env TOKEN"}')
  const again = resolvePlan(catalog, requestOf(JSON.parse(text) as Plan))
  expect(JSON.stringify(again)).toBe(text)
  expect(Object.keys(again.nodes[0]?.input as object)).toEqual(['name', 'token'])
  expect(again.nodes[0]?.input).not.toHaveProperty('token.$secret')
})

test('a secret that no name leads to is refused', () => {
  const from = {
    stage: 'dev',
    inputs: {},
    tasks: [{ name: 'tag', input: { token: { $secret: 'prompt PIN' } } }],
  }
  expect(problemOf(() => requestOf({ from })).code).toBe('SECRET_UNKNOWN')
})

test('every host that a node runs on is held with what decides where we connect', () => {
  const stages = {
    production: {
      hosts: {
        web1: { roles: ['web'], address: 'deploy@10.0.0.7', port: 2222, user: 'app', primary: true },
        web2: { roles: ['web'], transport: 'local', root: 'two' },
        db1: { roles: ['db'] },
      },
    },
  }
  const upload = task('upload', { on: 'web', run: () => 1 })
  const plan = resolvePlan(catalogOf({ tasks: [upload], ...{ stages, defaultStage: 'production' } }), {
    tasks: ['upload'],
  })
  expect(plan.hosts).toEqual({
    'production/web1': {
      ...{ address: 'deploy@10.0.0.7', user: 'app', port: 2222 },
      ...{ transport: 'ssh', roles: ['web'] },
    },
    'production/web2': { address: 'web2', transport: 'local', root: 'two', roles: ['web'] },
  })
})
