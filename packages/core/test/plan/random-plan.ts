import { all, optional, resolvePlan, task, type AnyTask, type Plan } from '@deployfile/core'
import fc from 'fast-check'
import * as z from 'zod'
import { catalogOf } from './catalog-of.ts'

interface TaskSpec {
  /** Bits: which of the tasks before it needs. */
  readonly needs: number
  readonly how: 'plain' | 'optional'
  readonly on: 'nowhere' | 'app' | 'web' | 'primary'
  readonly rolling: boolean
  readonly lock: boolean
  readonly when: boolean
  readonly input: boolean
  readonly bound: number
  /** Bits: which of the tasks before it are hooks of it. */
  readonly hooks: number
  readonly late: boolean
}

const spec: fc.Arbitrary<TaskSpec> = fc.record({
  needs: fc.nat(255),
  how: fc.constantFrom('plain', 'plain', 'optional'),
  on: fc.constantFrom('nowhere', 'app', 'web', 'primary'),
  rolling: fc.boolean(),
  lock: fc.boolean(),
  when: fc.boolean(),
  input: fc.boolean(),
  bound: fc.nat(2),
  hooks: fc.nat(255),
  late: fc.boolean(),
})

/** A plan of a random config: needs of every sort, hooks, batches, locks, conditions, inputs, and what runs only after a failure. */
export const randomPlan: fc.Arbitrary<Plan> = fc
  .array(spec, { minLength: 1, maxLength: 8 })
  .map(planOf)
  .filter((plan) => plan !== undefined)

/** Undefined for a config that is refused: hooks may go round in circles, and batches do not wait for all. */
function planOf(specs: readonly TaskSpec[]): Plan | undefined {
  const tasks: AnyTask[] = []
  const after: Record<string, readonly AnyTask[]> = {}
  for (const [index, one] of specs.entries()) {
    const name = `t${String(index)}`
    const earlier = (bits: number): readonly AnyTask[] => tasks.filter((_, bit) => bits & (1 << bit))
    after[name] = earlier(one.hooks)
    tasks.push(declare(name, one, earlier(one.needs)))
  }
  const last = task('last', { needs: Object.fromEntries(tasks.map((one) => [one.name, one])), run: () => 1 })
  const tell = task('tell', { on: 'web', run: () => 1 })
  try {
    const catalog = catalogOf({ tasks: [last], after, onFailure: specs[0]?.late ? [tell] : [] })
    return resolvePlan(catalog, { stage: 'production', tasks: ['last'] })
  } catch {
    return undefined
  }
}

function declare(name: string, one: TaskSpec, needed: readonly AnyTask[]): AnyTask {
  const isEach = (need: AnyTask): boolean => {
    const { on } = need['~task'].spec
    return on !== undefined && typeof on === 'string'
  }
  const needs = needed.map((need) => {
    // A host's own result only where both surely run: here every per-host need is read on all hosts.
    const read = isEach(need)
      ? all(need as Parameters<typeof all>[0])
      : need['~task'].spec.input
        ? need.with({ n: one.bound })
        : need
    return [need.name, one.how === 'optional' ? optional(read) : read] as const
  })
  const on = { nowhere: undefined, app: 'app', web: 'web', primary: { role: 'db', pick: 'primary' } } as const
  return task(name, {
    needs: Object.fromEntries(needs),
    ...(one.on !== 'nowhere' && { on: on[one.on] }),
    ...((one.on === 'app' || one.on === 'web') && one.rolling && { rolling: { batch: 1, wait: '1s' } }),
    ...(one.lock && { lock: name }),
    ...(one.when && {
      when: ({ host }: { host?: { name: string } }) => host?.name !== 'web1' || 'not there',
    }),
    ...(one.input && { input: z.object({ n: z.number().default(0), none: z.string().optional() }) }),
    run: () => 1,
  }) as AnyTask
}
