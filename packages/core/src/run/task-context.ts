import type { Phase, RunEventBody } from '../event/event.ts'
import type { Host } from '../host/host.ts'
import type { Shell, ShellScope } from '../port/shell.ts'
import type { BaseContext } from '../task/context.ts'
import { redact } from '../secret/redact.ts'
import { perHost } from '../task/needs.ts'
import { emit, type NodeState, type RunState } from './run-state.ts'

/** A context for one phase of one node, and the reason that its body gave to `skip`. */
export interface PhaseContext {
  readonly context: BaseContext
  readonly skipped: () => string | undefined
  /** From here on it says nothing any more: the events of a phase lie between its start and its end. */
  readonly close: () => void
}

/** Builds what `run`, `undo` and `finally` get. Shells are opened when they are first read, so a body that uses none connects to none. */
export function phaseContext(
  run: RunState,
  state: NodeState,
  phase: Phase,
  signal: AbortSignal,
): PhaseContext {
  const { catalog, shells, ask, run: info } = run.options
  const { id: node, stage: stageName, host: hostName, input } = state.node
  const entry = catalog.stages.get(stageName)
  if (!entry) throw new Error(`the plan has the stage '${stageName}', which the config does not have`)
  let open = true
  const say = (event: RunEventBody): void => {
    if (open) emit(run, event)
  }
  const scope: ShellScope = {
    signal,
    emit: (event) => {
      say({ type: 'node.command', node, phase, event })
    },
  }
  const host = hostName === undefined ? undefined : entry.hosts.find(({ name }) => name === hostName)
  let skipped: string | undefined
  const context: BaseContext & { readonly needs: unknown; readonly input: unknown } = {
    stage: entry.stage,
    hosts: entry.hosts,
    input: input ?? {},
    needs: readNeeds(run, state),
    get local() {
      return once(this, 'local', () => shells.local(scope))
    },
    signal,
    run: info,
    failures: [...run.failures],
    log: (message) => {
      say({ type: 'node.log', node, phase, message: redact(message) })
    },
    progress: (done, total) => {
      say({ type: 'node.progress', node, phase, done, ...(total !== undefined && { total }) })
    },
    skip: (reason: string, value?: unknown) => {
      skipped = reason
      return value as undefined
    },
    confirm: (question) => ask(question),
  }
  if (host) {
    Object.defineProperty(context, 'host', { value: host, enumerable: true })
    Object.defineProperty(context, 'remote', {
      get(this: object) {
        return once(this, 'remote', () => shells.remote(host, scope))
      },
      enumerable: true,
      configurable: true,
    })
  }
  const close = (): void => {
    open = false
  }
  return { context, skipped: () => skipped, close }
}

// Replaces a getter by its value.
function once(target: object, key: string, open: () => Shell): Shell {
  const value = open()
  Object.defineProperty(target, key, { value, enumerable: true })
  return value
}

function readNeeds(run: RunState, state: NodeState): Readonly<Record<string, unknown>> {
  const values: Record<string, unknown> = {}
  for (const [key, binding] of Object.entries(state.node.needs)) {
    if (binding.kind === 'none') values[key] = undefined
    else if (binding.kind === 'one') values[key] = run.byId.get(binding.node)?.result
    else {
      values[key] = perHost(
        binding.nodes.flatMap(({ node }) => {
          const needed = run.byId.get(node)
          const host = needed && findHost(run, needed)
          return needed && host ? [{ host, value: needed.result }] : []
        }),
      )
    }
  }
  return values
}

function findHost(run: RunState, state: NodeState): Host | undefined {
  return run.options.catalog.stages.get(state.node.stage)?.hosts.find(({ name }) => name === state.node.host)
}
