import { lines, type Mistake } from './mistake.ts'

/** Mistakes in a task's own fields and bodies. */
export const bodies: readonly Mistake[] = [
  {
    title: 'a typo in a field',
    code: `task('x', { need: { web }, run: () => 1 })`,
    errors: [
      "1: Object literal may only specify known properties, but 'need' does not exist in type 'TaskSpec<Schema<{}, {}>, {}, undefined, true, \"fail\", number, number>'. Did you mean to write 'needs'?",
    ],
  },
  {
    title: 'a typo in a field above a body that uses its context',
    code: `task('x', { onn: 'web', async run({ local }) { await local.sh\`x\`; return 1 } })`,
    errors: [
      "1: Object literal may only specify known properties, and 'onn' does not exist in type 'TaskSpec<Schema<{}, {}>, {}, undefined, true, \"fail\", number, Promise<number>>'.",
    ],
  },
  {
    title: 'no body',
    code: `task('x', { on: 'web' })`,
    errors: [
      lines(
        '1: Argument of type \'{ on: "web"; }\' is not assignable to parameter of type \'TaskSpec<Schema<{}, {}>, {}, "web", true, "fail", any, any>\'.',
        '  Property \'run\' is missing in type \'{ on: "web"; }\' but required in type \'TaskSpec<Schema<{}, {}>, {}, "web", true, "fail", any, any>\'.',
      ),
    ],
  },
  {
    title: 'remote without on',
    code: `task('x', { run: ({ remote }) => remote })`,
    errors: ["1: Property 'remote' does not exist on type 'RunContext<Schema<{}, {}>, {}, undefined>'."],
  },
  {
    title: 'a key that the input does not have',
    code: `task('x', { input: z.object({ mode: z.string() }), run: ({ input }) => input.mod })`,
    errors: ["1: Property 'mod' does not exist on type '{ mode: string; }'. Did you mean 'mode'?"],
  },
  {
    title: 'input that is no schema',
    code: `task('x', { input: { mode: 'string' }, run: () => 1 })`,
    errors: [
      "1: Object literal may only specify known properties, and 'mode' does not exist in type 'Schema<any, any>'.",
    ],
  },
  {
    title: 'a bare function as on',
    code: `task('x', { on: (host: Host) => host.name === 'a', run: () => 1 })`,
    errors: ["1: Type '(host: Host) => boolean' is not assignable to type 'On | undefined'."],
  },
  {
    title: 'a pick that does not exist',
    code: `task('x', { on: { role: 'db', pick: 'first' }, run: () => 1 })`,
    errors: [
      lines(
        "1: Type '{ role: string; pick: \"first\"; }' is not assignable to type 'On | undefined'.",
        "  Types of property 'pick' are incompatible.",
        '    Type \'"first"\' is not assignable to type \'"primary" | "all" | undefined\'.',
      ),
    ],
  },
  {
    title: 'undo above run, its result used',
    code: `task('x', { on: 'web', async undo({ result }) { void result }, async run({ remote }) { return { a: remote.host.name } } })`,
    errors: [
      lines(
        '1: Type \'({ result }: UndoContext<Schema<{}, {}>, {}, "web", any>) => Promise<void>\' is not assignable to type \'(context: UndoContext<Schema<{}, {}>, {}, "web", any>) => "✗ write run above undo"\'.',
        "  Type 'Promise<void>' is not assignable to type '\"✗ write run above undo\"'.",
      ),
    ],
  },
  {
    title: 'undo above run, the host used',
    code: `task('x', { on: 'web', async undo({ remote }) { await remote.sh\`rm x\` }, async run({ remote }) { return { a: remote.host.name } } })`,
    errors: [
      lines(
        '1: Type \'({ remote }: UndoContext<Schema<{}, {}>, {}, "web", any>) => Promise<void>\' is not assignable to type \'(context: UndoContext<Schema<{}, {}>, {}, "web", any>) => "✗ write run above undo"\'.',
        "  Type 'Promise<void>' is not assignable to type '\"✗ write run above undo\"'.",
      ),
    ],
  },
  {
    title: 'a typo in a field, with an undo that uses the result',
    code: `task('x', { on: 'web', efect: 'read', async run({ remote }) { return { a: remote.host.name } }, undo({ result }) { void result?.a } })`,
    errors: [
      "1: Object literal may only specify known properties, but 'efect' does not exist in type 'TaskSpec<Schema<{}, {}>, {}, \"web\", true, \"fail\", { a: string; }, Promise<{ a: string; }>>'. Did you mean to write 'effect'?",
    ],
  },
  {
    title: 'a broken task, and one that needs it',
    code: `const a = task('a', { needs: { tagged, once }, run: ({ needs }) => ({ n: needs.once.dir }) })\ntask('b', { needs: { a }, run: ({ needs }) => needs.a.n })`,
    errors: [
      lines(
        '1: Type \'Task<"tagged", { tag: string; }, string, "once">\' is not assignable to type \'Task<"tagged", { tag: string; }, string, "once"> & "✗ \'tagged\' has required input: bind it, e.g. tagged.with({ … })"\'.',
        '  Type \'Task<"tagged", { tag: string; }, string, "once">\' is not assignable to type \'"✗ \'tagged\' has required input: bind it, e.g. tagged.with({ … })"\'.',
      ),
    ],
  },
  {
    title: 'undo that takes the result for granted',
    code: `task('x', { run: () => ({ a: 'x' }), undo({ result }) { void result.a } })`,
    errors: ["1: 'result' is possibly 'undefined'."],
  },
  {
    title: 'an effect that does not exist',
    code: `task('x', { effect: 'reads', run: () => 1 })`,
    errors: ["1: Type '\"reads\"' is not assignable to type 'Effect'. Did you mean '\"read\"'?"],
  },
  {
    title: 'a when that gives a number',
    code: `task('x', { when: () => 1, run: () => 1 })`,
    errors: [
      lines(
        "1: Type '() => number' is not assignable to type '(context: PlanContext<Schema<{}, {}>>) => string | boolean'.",
        "  Type 'number' is not assignable to type 'string | boolean'.",
      ),
    ],
  },
  {
    title: 'aliases that are no list',
    code: `task('x', { aliases: 'y', run: () => 1 })`,
    errors: ["1: Type 'string' is not assignable to type 'readonly string[]'."],
  },
  {
    title: 'a body of a preset that uses remote without on',
    code: `task.preset({ effect: 'read' })('x', { run: ({ remote }) => remote })`,
    errors: ["1: Property 'remote' does not exist on type 'RunContext<Schema<{}, {}>, {}, undefined>'."],
  },
  {
    title: 'needs in a preset',
    code: `task.preset({ needs: { web } })`,
    errors: [
      "1: Object literal may only specify known properties, and 'needs' does not exist in type 'PresetOptions<undefined, \"fail\">'.",
    ],
  },
  {
    title: 'a call without the input that it needs',
    code: `task('x', { run: ({ call }) => call(tagged) })`,
    errors: ['1: Expected 2 arguments, but got 1.'],
  },
  {
    title: 'a call with a wrong input',
    code: `task('x', { run: ({ call }) => call(tagged, { tag: 1 }) })`,
    errors: ["1: Type 'number' is not assignable to type 'string'."],
  },
  {
    title: 'a call of every host, read as of one',
    code: `task('x', { run: async ({ call }) => (await call(web)).path })`,
    errors: ["1: Property 'path' does not exist on type 'PerHost<{ path: string; }>'."],
  },
  {
    title: 'a call in undo',
    code: `task('x', { run: () => 1, undo: ({ call }) => call(web) })`,
    errors: [
      "1: Property 'call' does not exist on type 'UndoContext<Schema<{}, {}>, {}, undefined, number>'.",
    ],
  },
  {
    title: 'a preview with another result',
    code: `task('x', { run: () => 1, preview: () => 'one' })`,
    errors: [
      [
        "1: Type '() => string' is not assignable to type 'Preview<RunContext<Schema<{}, {}>, {}, undefined>, number>'.",
        "  Type '() => string' is not assignable to type '(context: RunContext<Schema<{}, {}>, {}, undefined>) => number | Promise<number>'.",
        "    Type 'string' is not assignable to type 'number | Promise<number>'.",
      ].join('\n'),
    ],
  },
]
