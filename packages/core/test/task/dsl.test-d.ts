import { describe, expectTypeOf, test } from 'vitest'
import * as z from 'zod'
import {
  all,
  group,
  optional,
  recipe,
  task,
  where,
  type PerHost,
  type ResultOf,
  type Task,
  type View,
} from '@deployfile/core'

const once = task('once', { run: async () => ({ dir: 'dist' }) })
const web = task('web', { on: 'web', run: async ({ remote }) => ({ path: remote.host.name }) })
const everywhere = task('ev', {
  on: where((host) => host.roles.length > 0),
  run: ({ host }) => ({ path: host.name }),
})
const primary = task('prim', {
  on: { role: 'db', pick: 'primary' },
  run: ({ host }) => ({ file: host.name }),
})

test('presence of `on` decides the place of a task', () => {
  expectTypeOf(once).toEqualTypeOf<Task<'once', {}, { dir: string }, 'once'>>()
  expectTypeOf(web).toEqualTypeOf<Task<'web', {}, { path: string }, 'each'>>()
  expectTypeOf(everywhere).toEqualTypeOf<Task<'ev', {}, { path: string }, 'each'>>()
  expectTypeOf(primary).toEqualTypeOf<Task<'prim', {}, { file: string }, 'primary'>>()
  const elsewhere = task('x', {
    on: { stage: 'production', role: 'db', pick: 'primary' },
    run: ({ host }) => host.name,
  })
  expectTypeOf(elsewhere).toEqualTypeOf<Task<'x', {}, string, 'primary'>>()
})

describe('what a dependent sees', () => {
  test('with `on`: its own host', () => {
    task('onWeb', {
      on: 'web',
      needs: { once, web, primary, everywhere, every: all(web) },
      run({ needs }) {
        expectTypeOf(needs.once).toEqualTypeOf<{ dir: string }>()
        expectTypeOf(needs.web).toEqualTypeOf<{ path: string }>()
        expectTypeOf(needs.primary).toEqualTypeOf<{ file: string }>()
        expectTypeOf(needs.everywhere).toEqualTypeOf<{ path: string }>()
        expectTypeOf(needs.every).toEqualTypeOf<PerHost<{ path: string }>>()
      },
    })
  })

  test('without `on`: every host', () => {
    task('onOnce', {
      needs: { once, web, primary, every: all(web) },
      run({ needs }) {
        expectTypeOf(needs.once).toEqualTypeOf<{ dir: string }>()
        expectTypeOf(needs.web).toEqualTypeOf<PerHost<{ path: string }>>()
        expectTypeOf(needs.primary).toEqualTypeOf<{ file: string }>()
        expectTypeOf(needs.every).toEqualTypeOf<PerHost<{ path: string }>>()
      },
    })
  })

  test('on the primary: its own host', () => {
    task('mig', {
      on: { role: 'db', pick: 'primary' },
      needs: { everywhere },
      run: ({ needs }) => {
        expectTypeOf(needs.everywhere).toEqualTypeOf<{ path: string }>()
      },
    })
  })

  test('optional adds undefined, also to what all hosts give', () => {
    task('o', {
      on: 'web',
      needs: { own: optional(web), every: optional(all(web)) },
      run({ needs }) {
        expectTypeOf(needs.own).toEqualTypeOf<{ path: string } | undefined>()
        expectTypeOf(needs.every).toEqualTypeOf<PerHost<{ path: string }> | undefined>()
      },
    })
    task('p', {
      needs: { web: optional(web) },
      run: ({ needs }) => {
        expectTypeOf(needs.web).toEqualTypeOf<PerHost<{ path: string }> | undefined>()
      },
    })
  })
})

test('a condition, a warning and a skip show in the result', () => {
  const boolean = task('w1', { when: ({ stage }) => stage.protected, run: () => 1 })
  const reason = task('w2', { when: ({ stage }) => stage.protected || 'only there', run: () => 1 })
  const always = task('w3', { when: () => true, run: () => 1 })
  const perHost = task('w4', { on: 'web', when: ({ stage }) => stage.protected, run: () => 1 })
  expectTypeOf<ResultOf<typeof boolean>>().toEqualTypeOf<number | undefined>()
  expectTypeOf<ResultOf<typeof reason>>().toEqualTypeOf<number | undefined>()
  expectTypeOf<ResultOf<typeof always>>().toEqualTypeOf<number>()
  expectTypeOf<View<typeof perHost, undefined>>().toEqualTypeOf<PerHost<number | undefined>>()
  expectTypeOf<View<typeof perHost, 'web'>>().toEqualTypeOf<number | undefined>()

  const warned = task('e', { onError: 'warn', run: () => 1 })
  expectTypeOf<ResultOf<typeof warned>>().toEqualTypeOf<number | undefined>()

  const skips = task('s', {
    async run({ skip, stage }) {
      if (stage.protected) {
        skip('no')
        return
      }
      return { applied: ['x'] }
    },
  })
  expectTypeOf<ResultOf<typeof skips>>().toEqualTypeOf<{ applied: string[] } | undefined>()
})

test('undo sees the result, which may be missing', () => {
  task('u', {
    on: 'web',
    run: async ({ remote }) => ({ release: remote.host.name }),
    undo({ result, outcome, remote }) {
      expectTypeOf(result).toEqualTypeOf<{ release: string } | undefined>()
      expectTypeOf(outcome).toEqualTypeOf<'done' | 'failed' | 'cancelled'>()
      void remote
    },
  })
})

test('input is typed, bound by with, and groups have no result', () => {
  const build = task('build', {
    input: z.object({ mode: z.enum(['dev', 'prod']).default('prod') }),
    run: async ({ input }) => ({ dir: input.mode as string }),
  })
  const tagged = task('tagged', { input: z.object({ tag: z.string() }), run: ({ input }) => input.tag })
  const both = group('both', { build, tagged: tagged.with({ tag: 'x' }) })
  task('user', {
    needs: { both },
    run: ({ needs }) => {
      expectTypeOf(needs.both).toEqualTypeOf<void>()
    },
  })
  expectTypeOf(recipe({ build }).tasks.build).toEqualTypeOf(build)
})

describe('what must not compile', () => {
  const tagged = task('tagged', { input: z.object({ tag: z.string() }), run: ({ input }) => input.tag })

  test('reading a result that is not there', () => {
    // @ts-expect-error Property 'path' does not exist on type 'PerHost<…>'
    task('x', { needs: { web }, run: ({ needs }) => needs.web.path })
    // @ts-expect-error Property 'path' does not exist on type 'PerHost<…>'
    task('x', { on: 'web', needs: { a: all(web) }, run: ({ needs }) => needs.a.path })
    // @ts-expect-error 'needs.web' is possibly 'undefined'
    task('x', { on: 'web', needs: { web: optional(web) }, run: ({ needs }) => needs.web.path })
    // @ts-expect-error Property 'remote' does not exist
    task('x', { run: ({ remote }) => remote })
  })

  test('needs that cannot be', () => {
    // @ts-expect-error 'once' is not per host
    task('x', { needs: { a: all(once) }, run: () => 1 })
    // @ts-expect-error ✗ 'tagged' has required input: bind it
    task('x', { needs: { tagged }, run: () => 1 })
    // @ts-expect-error Did you mean to write 'needs'?
    task('x', { need: { web }, run: () => 1 })
    // @ts-expect-error Type 'number' is not assignable to type 'string'
    tagged.with({ tag: 1 })
  })

  test('undo above run', () => {
    task('x', {
      on: 'web',
      // @ts-expect-error ✗ write run above undo
      async undo({ result }) {
        await Promise.resolve(result)
      },
      async run({ remote }) {
        return { release: remote.host.name }
      },
    })
  })
})
