import { lines, type Mistake } from './mistake.ts'

/** Mistakes in composing tasks, and in the config. */
export const configs: readonly Mistake[] = [
  {
    title: 'an override that breaks the result',
    code: `override(web, { run: async () => ({ paht: 'x' }) })`,
    errors: [
      lines(
        "1: Type 'Promise<{ paht: string; }>' is not assignable to type '{ path: string; } | Promise<{ path: string; }>'.",
        "  Type 'Promise<{ paht: string; }>' is not assignable to type 'Promise<{ path: string; }>'.",
        "    Property 'path' is missing in type '{ paht: string; }' but required in type '{ path: string; }'.",
      ),
    ],
  },
  {
    title: 'an override that moves the task',
    code: `override(web, { on: 'db', run: ({ base }) => base() })`,
    errors: [
      '1: Object literal may only specify known properties, and \'on\' does not exist in type \'OverrideSpec<Task<"web", {}, { path: string; }, "each">, {}>\'.',
    ],
  },
  {
    title: 'an override whose base gets the wrong input',
    code: `override(tagged, { run: ({ base }) => base({ tag: 1 }) })`,
    errors: ["1: Type 'number' is not assignable to type 'string'."],
  },
  {
    title: 'an override that needs a task with unbound input',
    code: `override(web, { needs: { tagged }, run: ({ base }) => base() })`,
    errors: [
      lines(
        '1: Type \'Task<"tagged", { tag: string; }, string, "once">\' is not assignable to type \'Task<"tagged", { tag: string; }, string, "once"> & "✗ \'tagged\' has required input: bind it, e.g. tagged.with({ … })"\'.',
        '  Type \'Task<"tagged", { tag: string; }, string, "once">\' is not assignable to type \'"✗ \'tagged\' has required input: bind it, e.g. tagged.with({ … })"\'.',
      ),
    ],
  },
  {
    title: 'a typo in a hook',
    code: `defineConfig({ stages, use: [app], before: { 'app:publsh': [once] } })`,
    errors: [
      "1: Object literal may only specify known properties, and ''app:publsh'' does not exist in type 'Hooks<NoInfer<readonly [Recipe<AppTasks, \"staging\" | \"production\">]>, NoInfer<[]>>'.",
    ],
  },
  {
    title: 'a hook by the name without its namespace',
    code: `defineConfig({ stages, use: [namespace('api', app)], before: { 'app:publish': [once] } })`,
    errors: [
      '1: Object literal may only specify known properties, and \'\'app:publish\'\' does not exist in type \'Hooks<NoInfer<readonly [Recipe<Namespaced<"api", AppTasks>, "staging" | "production">]>, NoInfer<[]>>\'.',
    ],
  },
  {
    title: 'a name as a hook',
    code: `defineConfig({ stages, tasks: [once], before: { once: ['web'] } })`,
    errors: ["1: Type 'string' is not assignable to type 'AnyTask'."],
  },
  {
    title: 'a default stage that does not exist',
    code: `defineConfig({ stages: { dev: { hosts: {} } }, defaultStage: 'prod' })`,
    errors: ['1: Type \'"prod"\' is not assignable to type \'"dev"\'.'],
  },
  {
    title: 'a typo in a key of the config',
    code: `defineConfig({ stages, task: [once] })`,
    errors: [
      "1: Object literal may only specify known properties, but 'task' does not exist in type '{ readonly stages: { readonly staging: StageSpec; }; readonly defaultStage?: \"staging\"; readonly use?: [] & readonly []; readonly tasks?: []; readonly before?: Hooks<NoInfer<[]>, NoInfer<[]>>; readonly after?: Hooks<...>; readonly onFailure?: readonly AnyTask[]; readonly pools?: Readonly<...>; readonly grace?: Durat...'. Did you mean to write 'tasks'?",
    ],
  },
  {
    title: 'a typo in a key of a host',
    code: `defineConfig({ stages: { dev: { hosts: { a: { role: ['web'] } } } } })`,
    errors: [
      "1: Object literal may only specify known properties, but 'role' does not exist in type 'HostSpec'. Did you mean to write 'roles'?",
    ],
  },
  {
    title: 'a stage without an entry in a table',
    code: `defineConfig({ stages: { dev: { hosts: {} } }, use: [app] })`,
    errors: [
      lines(
        '1: Type \'Recipe<AppTasks, "staging" | "production">\' is not assignable to type \'Recipe<AppTasks, "staging" | "production"> & "✗ a perStage table of this recipe has no entry for \'dev\'"\'.',
        '  Type \'Recipe<AppTasks, "staging" | "production">\' is not assignable to type \'"✗ a perStage table of this recipe has no entry for \'dev\'"\'.',
      ),
    ],
  },
  {
    title: 'a recipe instead of its tasks',
    code: `defineConfig({ stages, tasks: [app] })`,
    errors: [
      "1: Type 'Recipe<AppTasks, \"staging\" | \"production\">' is missing the following properties from type 'Task<string, any, any, any>': name, desc, '~task', with",
    ],
  },
  {
    title: 'a task that a recipe does not have',
    code: `void app.tasks.publsh`,
    errors: ["1: Property 'publsh' does not exist on type 'AppTasks'. Did you mean 'publish'?"],
  },
  {
    title: 'a recipe of things that are no tasks',
    code: `recipe({ a: 1 })`,
    errors: ["1: Type 'number' is not assignable to type 'AnyTask'."],
  },
]
