import { expectTypeOf, test } from 'vitest'
import {
  defineConfig,
  perStage,
  recipe,
  task,
  type Config,
  type Option,
  type Recipe,
  type Task,
} from '@deployfile/core'

interface Tasks {
  readonly publish: Task<'app:publish', {}, void, 'each'>
  readonly check: Task<'app:check', {}, void, 'each'>
}
declare function app<S extends string = string>(options: {
  branch: Option<string, S>
  keep?: Option<number, S>
}): Recipe<Tasks, S>

const upload = task('upload', { on: 'web', run: () => 1 })
const tables = app({ branch: perStage({ staging: 'staging', production: 'master' }) })
const withDefault = app({ branch: perStage({ production: 'master', default: 'main' }) })
const mine = recipe({ upload })

test('stages, recipes and hooks are known to each other', () => {
  const stages = {
    staging: { hosts: {} },
    production: { protected: true, hosts: { web1: { roles: ['web'] } } },
  }
  expectTypeOf(
    defineConfig({ stages, use: [tables], tasks: [upload], before: { 'app:publish': [upload] } }),
  ).toEqualTypeOf<Config>()
  // The order of the keys does not matter.
  defineConfig({ after: { upload: [upload] }, tasks: [upload], use: [withDefault], stages })
  defineConfig({ use: [mine], stages, before: { upload: [upload] } })
})

test('what must not compile', () => {
  // @ts-expect-error 'app:publsh' does not exist
  defineConfig({ stages: { staging: { hosts: {} } }, use: [withDefault], before: { 'app:publsh': [upload] } })
  defineConfig({
    stages: { dev: { hosts: {} }, staging: { hosts: {} }, production: { hosts: {} } },
    // @ts-expect-error ✗ a perStage table of this recipe has no entry for 'dev'
    use: [tables],
  })
  // @ts-expect-error "prod" is not assignable to "dev"
  defineConfig({ stages: { dev: { hosts: {} } }, defaultStage: 'prod' })
  // @ts-expect-error Did you mean to write 'tasks'?
  defineConfig({ stages: { dev: { hosts: {} } }, task: [upload] })
  // @ts-expect-error a hook is a task, not a name
  defineConfig({ stages: { dev: { hosts: {} } }, tasks: [upload], before: { upload: ['upload'] } })
  // @ts-expect-error Type 'number' is not assignable to type 'string'
  app({ branch: perStage({ staging: 1 }) })
  // @ts-expect-error Did you mean 'publish'?
  void tables.tasks.publsh
})
