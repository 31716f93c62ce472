import { lines, type Mistake } from './mistake.ts'

/** Mistakes about what a task needs, and what it then sees. */
export const needs: readonly Mistake[] = [
  {
    title: 'a field that a result does not have',
    code: `task('x', { needs: { once }, run: ({ needs }) => needs.once.dri })`,
    errors: ["1: Property 'dri' does not exist on type '{ dir: string; }'."],
  },
  {
    title: 'a task that is not needed',
    code: `task('x', { needs: { once }, run: ({ needs }) => needs.web })`,
    errors: [
      '1: Property \'web\' does not exist on type \'Results<{ once: Task<"once", {}, { dir: string; }, "once">; }, undefined>\'.',
    ],
  },
  {
    title: 'input that is not bound',
    code: `task('x', { needs: { tagged }, run: () => 1 })`,
    errors: [
      lines(
        '1: Type \'Task<"tagged", { tag: string; }, string, "once">\' is not assignable to type \'Task<"tagged", { tag: string; }, string, "once"> & "✗ \'tagged\' has required input: bind it, e.g. tagged.with({ … })"\'.',
        '  Type \'Task<"tagged", { tag: string; }, string, "once">\' is not assignable to type \'"✗ \'tagged\' has required input: bind it, e.g. tagged.with({ … })"\'.',
      ),
    ],
  },
  {
    title: 'input that is not bound, with its result used',
    code: `task('x', { needs: { tagged }, run: ({ needs }) => needs.tagged.length })`,
    errors: [
      lines(
        '1: Type \'Task<"tagged", { tag: string; }, string, "once">\' is not assignable to type \'Task<"tagged", { tag: string; }, string, "once"> & "✗ \'tagged\' has required input: bind it, e.g. tagged.with({ … })"\'.',
        '  Type \'Task<"tagged", { tag: string; }, string, "once">\' is not assignable to type \'"✗ \'tagged\' has required input: bind it, e.g. tagged.with({ … })"\'.',
      ),
    ],
  },
  {
    title: 'input that is not bound, and an undo',
    code: `task('x', { on: 'web', needs: { tagged, once }, async run({ needs }) { return { a: needs.once.dir } }, undo({ result }) { void result?.a } })`,
    errors: [
      lines(
        '1: Type \'Task<"tagged", { tag: string; }, string, "once">\' is not assignable to type \'Task<"tagged", { tag: string; }, string, "once"> & "✗ \'tagged\' has required input: bind it, e.g. tagged.with({ … })"\'.',
        '  Type \'Task<"tagged", { tag: string; }, string, "once">\' is not assignable to type \'"✗ \'tagged\' has required input: bind it, e.g. tagged.with({ … })"\'.',
      ),
    ],
  },
  {
    title: 'a group of a task whose input is not bound',
    code: `group('g', { tagged })`,
    errors: [
      lines(
        '1: Type \'Task<"tagged", { tag: string; }, string, "once">\' is not assignable to type \'Task<"tagged", { tag: string; }, string, "once"> & "✗ \'tagged\' has required input: bind it, e.g. tagged.with({ … })"\'.',
        '  Type \'Task<"tagged", { tag: string; }, string, "once">\' is not assignable to type \'"✗ \'tagged\' has required input: bind it, e.g. tagged.with({ … })"\'.',
      ),
    ],
  },
  {
    title: 'a name instead of a task',
    code: `task('x', { needs: { once: 'once' }, run: ({ needs }) => needs.once })`,
    errors: ["1: Type 'string' is not assignable to type 'AnyTask | All<string, any> | Optional<any>'."],
  },
  {
    title: 'a list instead of a record',
    code: `task('x', { needs: [once], run: () => 1 })`,
    errors: [
      lines(
        '1: Type \'Task<"once", {}, { dir: string; }, "once">[]\' is not assignable to type \'Readonly<Record<string, AnyTask | All<string, any> | Optional<any>>> & CheckNeeds<Readonly<Record<string, AnyTask | All<string, any> | Optional<...>>>>\'.',
        '  Type \'Task<"once", {}, { dir: string; }, "once">[]\' is not assignable to type \'Readonly<Record<string, AnyTask | All<string, any> | Optional<any>>>\'.',
        '    Index signature for type \'string\' is missing in type \'Task<"once", {}, { dir: string; }, "once">[]\'.',
      ),
    ],
  },
  {
    title: 'every host taken for one',
    code: `task('x', { needs: { web }, run: ({ needs }) => needs.web.path })`,
    errors: ["1: Property 'path' does not exist on type 'PerHost<{ path: string; }>'."],
  },
  {
    title: 'all(…) taken for its own host',
    code: `task('x', { on: 'web', needs: { a: all(web) }, run: ({ needs }) => needs.a.path })`,
    errors: ["1: Property 'path' does not exist on type 'PerHost<{ path: string; }>'."],
  },
  {
    title: 'all(…) of a task that runs once',
    code: `task('x', { needs: { a: all(once) }, run: () => 1 })`,
    errors: [
      lines(
        '1: Argument of type \'Task<"once", {}, { dir: string; }, "once">\' is not assignable to parameter of type \'Task<"once", any, { dir: string; }, "each">\'.',
        '  Type \'"once"\' is not assignable to type \'"each"\'.',
      ),
    ],
  },
  {
    title: 'a conditional need that is not asked whether it ran',
    code: `task('x', { needs: { maybe }, run: ({ needs }) => needs.maybe.n })`,
    errors: ["1: 'needs.maybe' is possibly 'undefined'."],
  },
  {
    title: 'an optional need that is not asked whether it is planned',
    code: `task('x', { on: 'web', needs: { web: optional(web) }, run: ({ needs }) => needs.web.path })`,
    errors: ["1: 'needs.web' is possibly 'undefined'."],
  },
  {
    title: 'a need that may only warn, taken for granted',
    code: `task('x', { needs: { warned }, run: ({ needs }) => needs.warned.length })`,
    errors: ["1: 'needs.warned' is possibly 'undefined'."],
  },
  {
    title: 'wrong input in with',
    code: `task('x', { needs: { t: tagged.with({ tag: 1 }) }, run: () => 1 })`,
    errors: ["1: Type 'number' is not assignable to type 'string'."],
  },
  {
    title: 'a typo in the input of with',
    code: `task('x', { needs: { t: tagged.with({ tg: 'x' }) }, run: () => 1 })`,
    errors: [
      "1: Object literal may only specify known properties, and 'tg' does not exist in type '{ tag: string; }'.",
    ],
  },
]
