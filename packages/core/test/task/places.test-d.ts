import { expectTypeOf, test } from 'vitest'
import {
  all,
  defineConfig,
  optional,
  perStage,
  task,
  where,
  type AtOf,
  type Host,
  type Option,
  type PerHost,
  type Recipe,
  type ResultOf,
  type Task,
} from '@deployfile/core'

const web = task('web', { on: 'web', run: ({ host }) => ({ path: host.name }) })

test('only whether there is an `on` counts, not which: lists, constants, predicates and widened strings see their own host', () => {
  const WEB = 'web'
  const options: { readonly role: string } = { role: 'x' }
  for (const on of [['web', 'app'], WEB, options.role, where((host) => host.name !== 'web1')] as const)
    task('own', {
      on,
      needs: { web },
      run: ({ needs, remote }) => {
        expectTypeOf(needs.web).toEqualTypeOf<{ path: string }>()
        return remote.host.name
      },
    })
})

test('a place that is a value of its own', () => {
  const primary = { role: 'db', pick: 'primary' } as const
  const one = task('one', { on: primary, run: () => 1 })
  expectTypeOf<AtOf<typeof one>>().toEqualTypeOf<'primary'>()
  const widened = { role: 'db', pick: 'primary' }
  // @ts-expect-error Type 'string' is not assignable to type '"all" | "primary"'
  task('two', { on: widened, run: () => 1 })
  // @ts-expect-error a bare function is no place
  task('three', { on: (host: Host) => host.name === 'web1', run: () => 1 })
})

test('a value given to skip is a result like the returned one', () => {
  const given = task('given', {
    async run({ skip, stage }) {
      if (stage.protected) return skip('no', { applied: [] as string[] })
      return { applied: ['x'] }
    },
  })
  expectTypeOf<ResultOf<typeof given>>().toEqualTypeOf<{ applied: string[] }>()
  const empty = task('empty', {
    run({ skip, stage }) {
      if (stage.protected) return skip('no', { applied: [] })
      return { applied: ['x'] }
    },
  })
  expectTypeOf<ResultOf<typeof empty>>().toExtend<{ applied: string[] }>()
  const nothing = task('nothing', {
    async run({ skip, stage }) {
      if (stage.protected) {
        skip('no')
        return
      }
      return { applied: ['x'] }
    },
  })
  expectTypeOf<ResultOf<typeof nothing>>().toEqualTypeOf<{ applied: string[] } | undefined>()
})

test('undo of a task without a result, and of one that nobody knows', () => {
  task('none', {
    async run() {},
    undo: ({ result }) => {
      expectTypeOf(result).toEqualTypeOf<void | undefined>()
    },
  })
  task('unknown', {
    run: async () => JSON.parse('1'),
    undo: ({ result }) => {
      expectTypeOf(result).toBeAny()
    },
  })
})

test('what every host gives is a list in the order of the hosts, and a value by host', () => {
  task('reads', {
    needs: { web, again: optional(all(web)) },
    run: ({ needs, hosts }) => {
      expectTypeOf(needs.web).toExtend<readonly { readonly host: Host; readonly value: { path: string } }[]>()
      expectTypeOf(needs.web.get('web1')).toEqualTypeOf<{ path: string } | undefined>()
      for (const host of hosts)
        expectTypeOf(needs.web.get(host)).toEqualTypeOf<{ path: string } | undefined>()
      expectTypeOf(needs.again).toEqualTypeOf<PerHost<{ path: string }> | undefined>()
      // @ts-expect-error it is read, not written
      needs.web.length = 0
    },
  })
})

test('a table may have stages that the config does not have; a need on the primary may be missing', () => {
  interface Tasks {
    readonly migrate: Task<'app:migrate', {}, { applied: readonly string[] } | undefined, 'primary'>
  }
  const app = undefined as unknown as <S extends string = string>(options: {
    readonly dirs: Option<readonly string[], S>
  }) => Recipe<Tasks, S>
  const tables = app({ dirs: perStage({ staging: ['a'], production: ['b'], dev: [] }) })
  defineConfig({ stages: { staging: { hosts: {} }, production: { hosts: {} } }, use: [tables] })
  task('report', {
    needs: { migrate: tables.tasks.migrate },
    run: ({ needs }) => {
      expectTypeOf(needs.migrate).toEqualTypeOf<{ applied: readonly string[] } | undefined>()
    },
  })
})
