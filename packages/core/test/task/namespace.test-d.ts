import { defineConfig, namespace, task, type Namespaced, type Recipe, type Task } from '@deployfile/core'
import { expectTypeOf, test } from 'vitest'

interface Tasks {
  readonly release: Task<'deploy:release', { ref?: string }, { path: string }, 'each'>
  readonly updated: Task<'deploy:updated', {}, void, 'once'>
}
declare const app: Recipe<Tasks, 'staging' | 'production'>
const api = namespace('api', app)
const upload = task('upload', {
  on: 'web',
  needs: { release: api.tasks.release },
  run: ({ needs }) => needs.release.path,
})
const stages = { staging: { hosts: {} } }

test('names get the prefix; properties, inputs, results and places stay', () => {
  expectTypeOf(api).toEqualTypeOf<Recipe<Namespaced<'api', Tasks>, 'staging' | 'production'>>()
  expectTypeOf(api.tasks.release).toEqualTypeOf<
    Task<'api:deploy:release', { ref?: string }, { path: string }, 'each'>
  >()
  expectTypeOf(namespace('b', api).tasks.updated).toEqualTypeOf<
    Task<'b:api:deploy:updated', {}, void, 'once'>
  >()
})

test('hooks are keyed by the longer names, beside those of the recipe itself', () => {
  defineConfig({ stages, use: [api], before: { 'api:deploy:updated': [upload] } })
  defineConfig({ stages, use: [app, api], before: { 'api:deploy:updated': [upload], 'deploy:updated': [] } })
})

test('what must not compile', () => {
  // @ts-expect-error 'deploy:updated' does not exist
  defineConfig({ stages, use: [api], before: { 'deploy:updated': [upload] } })
  // @ts-expect-error no entry for 'dev'
  defineConfig({ stages: { dev: { hosts: {} } }, use: [api] })
  // @ts-expect-error Did you mean 'release'?
  void api.tasks.relase
})
