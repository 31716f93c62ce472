import { setMaxListeners } from 'node:events'
import { execute, Problem, type Catalog, type Failure, type Plan, type RunEvent } from '@deployfile/core'
import { createShells, dryShells } from '@deployfile/shell'
import { failureBlock, warningBlock } from '../render/failure.ts'
import { createStyle, wantsColor } from '../render/style.ts'
import { runInfo } from '../run/run-info.ts'
import { chooseRenderer } from './choose-renderer.ts'
import { exitCode, signalCode } from './exit-code.ts'
import type { CommandLine } from './command-line.ts'
import { redacted } from './redacted-output.ts'
import { shownPlan } from './shown-plan.ts'
import { listen, type StopSignal } from './signals.ts'
import type { Terminal } from './terminal.ts'

export interface StartDry {
  readonly catalog: Catalog
  readonly plan: Plan
  readonly line: CommandLine
  /** The folder of deploy.config.ts. */
  readonly root: string
  readonly terminal: Terminal
}

/**
 * Shows what a run would do: connects and reads as it would, and changes nothing, neither on hosts nor here. Asks nothing, and leaves
 * no log that could be resumed. Returns the exit code of a run.
 */
export async function startDryRun({ catalog, plan, line, root, terminal }: StartDry): Promise<number> {
  const { env, stdout, stderr } = terminal
  const run = { ...(await runInfo(root, env)), dryRun: true }
  const style = createStyle(wantsColor(stdout, env))
  const output = redacted(stdout)
  const renderer = await chooseRenderer(line, env, {
    ...{ plan: shownPlan(plan, catalog, line.verbose), run, output, style, verbose: line.verbose },
  })
  const stopping = new AbortController()
  setMaxListeners(0, stopping.signal)
  let signal: StopSignal | undefined
  const stopListening = listen(
    terminal.signals,
    (name) => {
      signal = name
      stopping.abort(new Error(name))
    },
    (name) => terminal.leave(signalCode(name), 'deployfile: left at once: nothing was changed\n'),
  )
  const warnings: Failure[] = []
  const shells = dryShells(createShells({ root }), root)
  try {
    const outcome = await execute(plan, {
      ...{ catalog, shells, run, signal: stopping.signal, dryRun: true, onFailure: line.onFailure },
      ...(line.concurrency !== undefined && { concurrency: line.concurrency }),
      ...(line.grace !== undefined && { grace: line.grace }),
      ask: refuse,
      onEvent(event) {
        const warned = warningOf(event)
        if (warned) warnings.push(warned)
        renderer.event(event)
      },
    })
    await renderer.end()
    const code = exitCode(plan, outcome, signal)
    const view = {
      plan,
      cwd: terminal.cwd,
      verbose: line.verbose,
      style: createStyle(wantsColor(stderr, env)),
    }
    const lines = warningBlock(warnings, view, outcome.called)
    if (code !== 0)
      lines.push(...failureBlock({ ...view, outcome, undoLogs: new Map(), signal, log: undefined }))
    if (lines.length > 0) redacted(stderr).write(`${lines.join('\n')}\n`)
    return code
  } finally {
    await renderer.end()
    await shells.close().catch(() => undefined)
    stopListening()
  }
}

/** A dry run answers its bodies itself. */
function refuse(): Promise<never> {
  return Promise.reject(new Problem('check', 'NOT_CONFIRMED', 'a dry run asks nothing'))
}

function warningOf(event: RunEvent): Failure | undefined {
  if (event.type !== 'node.ended' || event.status !== 'warned' || !event.problem) return undefined
  return { node: event.node, phase: event.phase, problem: event.problem }
}
