import { isProblem, normalizeOn, selectHosts, type AnyTask, type Catalog } from '@deployfile/core'
import type { Finding, Host, Shell, ShellProvider, ShellScope } from '@deployfile/core'

/** What one task looks at on one host. */
export interface TaskCheck {
  readonly task: AnyTask
  /** As it is of the stage that the task is for; the same machine may have others. Undefined: this machine. */
  readonly host: Host | undefined
  readonly stage: string
}

/** What the tasks of a config look at for these stages: each that has a `doctor`, on each of its hosts. */
export function checksOf(catalog: Catalog, stages: readonly string[]): readonly TaskCheck[] {
  const asked = [...catalog.tasks.values()].filter((task) => task['~task'].spec.doctor)
  return stages.flatMap((stage) =>
    asked.flatMap((task): TaskCheck[] => {
      const { on } = task['~task'].spec
      if (on === undefined) return [{ task, stage, host: undefined }]
      // A task with a place of its own is looked at with the stage that it is placed in.
      if ((normalizeOn(on).stage ?? stage) !== stage) return []
      const hosts = selectHosts(on, catalog.stages.get(stage)?.hosts ?? [])
      return hosts.map((host) => ({ task, stage, host }))
    }),
  )
}

/** Asks one task. That it throws is a finding, too. */
export async function runCheck(
  { task, stage, host }: TaskCheck,
  catalog: Catalog,
  shells: ShellProvider,
  scope: ShellScope,
  root: string,
): Promise<readonly Finding[]> {
  const local = shells.local(scope)
  const remote: Shell = host ? shells.remote(host, scope) : local
  const { doctor } = task['~task'].spec
  const found = catalog.stages.get(stage)
  if (!doctor || !found) return []
  try {
    const context = { task: task.name, stage: found.stage, remote, local, root, signal: scope.signal }
    return await doctor(context)
  } catch (thrown) {
    const said = thrown instanceof Error ? thrown.message : String(thrown)
    const hint = isProblem(thrown) ? thrown.details.hint : undefined
    return [{ what: task.name, state: 'wrong', said, ...(hint !== undefined && { hint }) }]
  }
}
