import { group, override, task, type PerHost } from '@deployfile/core'
import { expectTypeOf, test } from 'vitest'
import * as z from 'zod'

const once = task('once', { run: async () => ({ dir: 'dist' }) })
const web = task('web', { on: 'web', run: async ({ remote }) => ({ path: remote.host.name }) })
const build = task('build', {
  input: z.object({ mode: z.enum(['dev', 'prod']).default('prod') }),
  run: async ({ input }) => ({ dir: input.mode as string, bytes: 1 }),
})

test('an override is the same task to others', () => {
  const faster = override(build, {
    async run({ base, input }) {
      expectTypeOf(input).toEqualTypeOf<{ mode?: 'dev' | 'prod' | undefined }>()
      const built = await base({ ...input, mode: 'dev' })
      expectTypeOf(built).toEqualTypeOf<{ dir: string; bytes: number }>()
      return { ...built, bytes: 2 }
    },
  })
  expectTypeOf(faster).toEqualTypeOf(build)
})

test('its bodies see its own needs, and remote where the task has a host', () => {
  override(web, {
    needs: { once, web },
    async run({ base, needs, remote, host }) {
      expectTypeOf(needs.once).toEqualTypeOf<{ dir: string }>()
      expectTypeOf(needs.web).toEqualTypeOf<{ path: string }>()
      await remote.sh`touch ${host.name}`
      return { path: (await base()).path + needs.once.dir }
    },
    undo({ result, outcome, remote }) {
      expectTypeOf(result).toEqualTypeOf<{ path: string } | undefined>()
      expectTypeOf(outcome).toEqualTypeOf<'done' | 'failed' | 'cancelled'>()
      void remote
    },
  })
  override(once, {
    needs: { web },
    run({ needs, base }) {
      expectTypeOf(needs.web).toEqualTypeOf<PerHost<{ path: string }>>()
      return base()
    },
  })
  override(group('both', { once, web }), { run: () => undefined })
})

test('what must not compile', () => {
  // @ts-expect-error Property 'path' is missing
  override(web, { run: async () => ({ paht: 'x' }) })
  // @ts-expect-error 'on' does not exist
  override(web, { on: 'db', run: ({ base }) => base() })
  // @ts-expect-error 'when' does not exist
  override(web, { when: () => false, run: ({ base }) => base() })
  // @ts-expect-error 'input' does not exist
  override(web, { input: z.object({}), run: ({ base }) => base() })
  // @ts-expect-error Property 'remote' does not exist
  override(once, { run: ({ remote, base }) => (remote, base()) })
  // @ts-expect-error "test" is not assignable to "dev" | "prod"
  override(build, { run: ({ base }) => base({ mode: 'test' }) })
})
