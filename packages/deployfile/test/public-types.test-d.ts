import {
  all,
  defineConfig,
  optional,
  perStage,
  recipe,
  task,
  where,
  type Config,
  type Host,
  type PerHost,
  type Recipe,
  type Task,
} from 'deployfile'
import * as z from 'zod'
import { expectTypeOf, test } from 'vitest'

declare module 'deployfile' {
  interface HostProps {
    region?: 'eu' | 'us'
  }
}

const build = task('build', {
  input: z.object({ mode: z.string().default('dev') }),
  run: ({ input }) => ({ dir: input.mode }),
})
const upload = task('upload', {
  on: 'web',
  needs: { build },
  run: ({ needs, host }) => `${needs.build.dir}/${host.name}`,
})

test('a config gets its types from this one package', () => {
  expectTypeOf(build).toExtend<Task<'build'>>()
  task('seen', {
    needs: { upload, every: all(upload), maybe: optional(build) },
    run({ needs }) {
      expectTypeOf(needs.upload).toEqualTypeOf<PerHost<string>>()
      expectTypeOf(needs.every).toEqualTypeOf<PerHost<string>>()
      expectTypeOf(needs.maybe).toEqualTypeOf<{ dir: string } | undefined>()
    },
  })
  expectTypeOf(recipe({ build })).toExtend<Recipe>()
  expectTypeOf(
    defineConfig({ stages: { dev: { hosts: {} } }, tasks: [build, upload], before: { build: [upload] } }),
  ).toEqualTypeOf<Config>()
  // @ts-expect-error a hook on a name that nothing has
  defineConfig({ stages: { dev: { hosts: {} } }, tasks: [build], before: { biuld: [upload] } })
  perStage({ dev: 1, default: 2 })
})

test("a project's own properties of hosts are typed by augmenting deployfile", () => {
  expectTypeOf<Host['props']['region']>().toEqualTypeOf<'eu' | 'us' | undefined>()
  task('near', { on: where((host) => host.props.region === 'eu'), run: () => 1 })
  // @ts-expect-error no such region
  task('far', { on: where((host) => host.props.region === 'mars'), run: () => 1 })
})
