import {
  isConfig,
  loadCatalog,
  normalizeOn,
  Problem,
  readNeed,
  rolesOf,
  type AnyTask,
  type Catalog,
  type Config,
  type HostSpec,
} from '@deployfile/core'

/** What is tested: a whole config, or tasks, for which one is made up. */
export type Subject = Config | readonly AnyTask[]

/** The stage and hosts of a made-up config. */
export interface Surroundings {
  /** Default 'test'. */
  readonly stage?: string
  /** Default false. */
  readonly protected?: boolean
  /** Default: one host, 'host', with every role that the tasks name. `roles` may be absent: all of those. */
  readonly hosts?: Readonly<Record<string, Partial<HostSpec>>>
}

/** @throws Problem (usage) for whatever a config would be refused for */
export function catalogOf(subject: Subject, surroundings: Surroundings = {}): Catalog {
  if (isConfig(subject)) {
    if (surroundings.hosts !== undefined || surroundings.protected !== undefined) {
      throw new Problem(
        'usage',
        'OPTION_INVALID',
        'a config has its own stages: hosts and protected are for tasks',
        {
          hint: 'Leave them out, or give the tasks instead of the config.',
        },
      )
    }
    return loadCatalog(subject)
  }
  const [first] = subject
  if (first === undefined) {
    throw new Problem('usage', 'TASK_MISSING', 'there is no task to test', { hint: 'Give at least one.' })
  }
  return loadCatalog({
    '~config': 1,
    location: first['~task'].location,
    source: { stages: stagesFor(reachable(subject), surroundings), tasks: subject },
  })
}

function stagesFor(tasks: readonly AnyTask[], surroundings: Surroundings): object {
  const { stage = 'test', protected: isProtected = false, hosts = { host: {} } } = surroundings
  const places = tasks.flatMap(({ '~task': { spec } }) => (spec.on === undefined ? [] : [spec.on]))
  const roles = [...new Set(places.flatMap((on) => rolesOf(on)))]
  // `on: { stage }` of a task may name other stages than the tested one.
  const names = new Set([stage, ...places.flatMap((on) => normalizeOn(on).stage ?? [])])
  const specs = Object.entries(hosts).map(([name, spec]) => [name, { roles, ...spec }] as const)
  return Object.fromEntries(
    [...names].map((name) => [
      name,
      { hosts: Object.fromEntries(specs), ...(name === stage && { protected: isProtected }) },
    ]),
  )
}

/** The tasks and all that they need. */
export function reachable(tasks: readonly AnyTask[]): readonly AnyTask[] {
  const found = new Map<string, AnyTask>()
  const stack = [...tasks]
  for (let task = stack.pop(); task; task = stack.pop()) {
    if (found.has(task.name)) continue
    found.set(task.name, task)
    stack.push(...Object.values(task['~task'].spec.needs).map((need) => readNeed(need).task))
  }
  return [...found.values()]
}
