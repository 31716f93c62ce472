import {
  execute,
  resolvePlan,
  type AnyTask,
  type Catalog,
  type ExecuteOptions,
  type Plan,
  type RunEvent,
  type RunOutcome,
  type Shell,
  type ShellProvider,
} from '@deployfile/core'
import { catalogOf } from '../plan/catalog-of.ts'

/** A provider for tasks that use no shell; opening one is a mistake of the test. */
export const noShells: ShellProvider = {
  remote: (host) => ({ host }) as Shell,
  local: () => {
    throw new Error('this test has no local shell')
  },
  close: () => Promise.resolve(),
}

export interface Ran {
  readonly outcome: RunOutcome
  readonly events: readonly RunEvent[]
}

interface More extends Partial<ExecuteOptions> {
  readonly stage?: string
  readonly catalog?: Catalog
  /** What becomes of the plan before it is run. */
  readonly planned?: (plan: Plan) => Plan
}

/** Runs the last of the tasks (with what it needs) and gathers the events. */
export async function runTasks(tasks: readonly AnyTask[], more: More = {}): Promise<Ran> {
  const { stage = 'production', catalog = catalogOf({ tasks }), planned, ...options } = more
  const made = resolvePlan(catalog, { stage, tasks: tasks.slice(-1).map(({ name }) => name) })
  const plan = planned ? planned(made) : made
  const events: RunEvent[] = []
  const outcome = await execute(plan, {
    catalog,
    shells: noShells,
    run: { id: 'test', startedAt: new Date(0), user: 'somebody', root: '/' },
    ask: () => Promise.resolve(),
    signal: new AbortController().signal,
    onEvent: (event) => events.push(event),
    ...options,
  })
  return { outcome, events }
}

/** A promise with its handles, to hold a body until the test lets it go. */
export function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}
