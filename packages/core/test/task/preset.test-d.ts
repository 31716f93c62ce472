import { task, type ResultOf, type Task } from '@deployfile/core'
import { expectTypeOf, test } from 'vitest'

const web = task('web', { on: 'web', run: ({ host }) => ({ path: host.name }) })

test('`on` of a preset gives its tasks remote, and their own host', () => {
  const onDb = task.preset({ on: 'db' })
  const dump = onDb('dump', { needs: { web }, run: ({ remote, needs }) => remote.host.name + needs.web.path })
  expectTypeOf(dump).toEqualTypeOf<Task<'dump', {}, string, 'each'>>()
  const first = onDb('first', { on: { role: 'db', pick: 'primary' }, run: ({ remote }) => remote.host.name })
  expectTypeOf(first).toEqualTypeOf<Task<'first', {}, string, 'primary'>>()
  const primary = task.preset({ on: { role: 'db', pick: 'primary' } })
  expectTypeOf(primary('p', { run: ({ host }) => host.name })).toEqualTypeOf<
    Task<'p', {}, string, 'primary'>
  >()
  const both = primary.preset({ effect: 'read' })
  expectTypeOf(both('q', { run: ({ host }) => host.name })).toEqualTypeOf<Task<'q', {}, string, 'primary'>>()
})

test('`onError` of a preset shows in the result, unless the task says otherwise', () => {
  const soft = task.preset({ onError: 'warn' })
  expectTypeOf<ResultOf<ReturnType<typeof made>>>().toEqualTypeOf<number | undefined>()
  function made() {
    return soft('soft', { run: () => 1 })
  }
  const hard = soft('hard', { onError: 'fail', run: () => 1 })
  expectTypeOf<ResultOf<typeof hard>>().toEqualTypeOf<number>()
})

test('what must not compile', () => {
  // @ts-expect-error Property 'remote' does not exist: this preset has no `on`
  task.preset({ effect: 'read' })('x', { run: ({ remote }) => remote })
  // @ts-expect-error 'needs' are one task's own
  task.preset({ needs: { web } })
  // @ts-expect-error Did you mean to write 'effect'?
  task.preset({ efect: 'read' })
})
