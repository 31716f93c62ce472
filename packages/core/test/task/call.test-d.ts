import { describe, expectTypeOf, test } from 'vitest'
import * as z from 'zod'
import { override, task, type PerHost } from '@deployfile/core'

const once = task('once', { run: () => ({ dir: 'dist' }) })
const web = task('web', { on: 'web', run: ({ host }) => ({ path: host.name }) })
const primary = task('primary', { on: { role: 'db', pick: 'primary' }, run: () => ({ file: 'f' }) })
const sometimes = task('sometimes', { when: ({ stage }) => stage.protected, run: () => 1 })
const warns = task('warns', { onError: 'warn', run: () => 1 })
const tagged = task('tagged', { input: z.object({ tag: z.string() }), run: ({ input }) => input.tag })
const moded = task('moded', { input: z.object({ mode: z.enum(['a', 'b']).default('a') }), run: () => 1 })

test('a call gives what a need would give', () => {
  task('from-nowhere', {
    async run({ call }) {
      expectTypeOf(await call(once)).toEqualTypeOf<{ dir: string }>()
      expectTypeOf(await call(web)).toEqualTypeOf<PerHost<{ path: string }>>()
      expectTypeOf(await call(primary)).toEqualTypeOf<{ file: string }>()
      expectTypeOf(await call(sometimes)).toEqualTypeOf<number | undefined>()
      expectTypeOf(await call(warns)).toEqualTypeOf<number | undefined>()
      expectTypeOf(await call(tagged, { tag: 'x' })).toEqualTypeOf<string>()
      expectTypeOf(await call(tagged.with({ tag: 'x' }))).toEqualTypeOf<string>()
      expectTypeOf(await call(moded)).toEqualTypeOf<number>()
      expectTypeOf(await call(moded, { mode: 'b' })).toEqualTypeOf<number>()
    },
  })
  task('from-a-host', {
    on: 'web',
    async run({ call }) {
      expectTypeOf(await call(web)).toEqualTypeOf<{ path: string }>()
      expectTypeOf(await call(once)).toEqualTypeOf<{ dir: string }>()
      return call(web)
    },
    undo({ result }) {
      expectTypeOf(result).toEqualTypeOf<{ path: string } | undefined>()
    },
  })
  override(web, {
    async run({ call, base }) {
      expectTypeOf(await call(web)).toEqualTypeOf<{ path: string }>()
      return base()
    },
  })
})

describe('what must not compile', () => {
  test('calls', () => {
    task('x', {
      async run({ call }) {
        // @ts-expect-error Expected 2 arguments, but got 1.
        await call(tagged)
        // @ts-expect-error Type 'number' is not assignable to type 'string'.
        await call(tagged, { tag: 1 })
        // @ts-expect-error Type '"c"' is not assignable to type '"a" | "b" | undefined'.
        await call(moded, { mode: 'c' })
        const hosts = await call(web)
        // @ts-expect-error Property 'path' does not exist on type 'PerHost<{ path: string; }>'.
        return hosts.path
      },
      // @ts-expect-error Property 'call' does not exist
      async undo({ call }) {
        await (call as () => Promise<void>)()
      },
    })
  })

  test('a preview that gives something else, or is no preview', () => {
    // @ts-expect-error Type 'string' is not assignable to type 'number'.
    task('x', { run: () => ({ n: 1 }), preview: () => ({ n: 'one' }) })
    // @ts-expect-error Type 'false' is not assignable to type 'true | …'
    task('x', { run: () => 1, preview: false })
    // @ts-expect-error a preset cannot know the result
    task.preset({ preview: () => 1 })
  })
})

test('a preview has the context of run, and says nothing of the result', () => {
  const made = task('made', {
    on: 'web',
    needs: { once },
    preview: ({ needs, host, call }) => {
      void call
      return { at: `${needs.once.dir}/${host.name}` }
    },
    async run({ host }) {
      return Promise.resolve({ at: host.name })
    },
    undo({ result }) {
      expectTypeOf(result).toEqualTypeOf<{ at: string } | undefined>()
    },
  })
  task('user', {
    on: 'web',
    needs: { made },
    preview: true,
    run({ needs }) {
      expectTypeOf(needs.made).toEqualTypeOf<{ at: string }>()
    },
  })
  const reads = task.preset({ effect: 'read', preview: true })
  expectTypeOf(reads('r', { run: () => 1 })).toExtend<{ readonly name: 'r' }>()
})

test('remoteOf takes the name of a need', () => {
  const top = task('top', {
    needs: { primary },
    async run({ remoteOf }) {
      expectTypeOf(remoteOf).parameters.toEqualTypeOf<['primary']>()
      return remoteOf('primary').capture`hostname`
    },
    undo({ result }) {
      expectTypeOf(result).toEqualTypeOf<string | undefined>()
    },
  })
  override(top, {
    needs: { web },
    run({ remoteOf, base }) {
      expectTypeOf(remoteOf).parameters.toEqualTypeOf<['web']>()
      return base()
    },
  })
  task('without', {
    run({ remoteOf }) {
      expectTypeOf(remoteOf).parameters.toEqualTypeOf<[never]>()
    },
  })
})
