import { setMaxListeners } from 'node:events'
import {
  keptOf,
  type Ask,
  type ExecuteOptions,
  type Failure,
  type LendTerminal,
  type PlanNode,
  type RunEvent,
  type RunInfo,
  type RunOutcome,
} from '@deployfile/core'
import { failureBlock, warningBlock } from '../render/failure.ts'
import { shorten } from '../render/problem.ts'
import type { GoingOn, Renderer } from '../render/renderer.ts'
import { createStyle, wantsColor } from '../render/style.ts'
import { endedRows, summaryLines, type EndedRows } from '../render/summary.ts'
import { answer, takeTurns, undoMode, type Answers } from '../run/confirm.ts'
import type { People } from '../run/doors.ts'
import { carryOut, logOf, type Work } from '../run/work.ts'
import { chooseRenderer } from './choose-renderer.ts'
import { exitCode, signalCode } from './exit-code.ts'
import type { CommandLine } from './command-line.ts'
import { commandsFor, nextCommands } from './next-commands.ts'
import { redacted } from './redacted-output.ts'
import { shownPlan } from './shown-plan.ts'
import { listen, type StopSignal } from './signals.ts'
import type { Terminal } from './terminal.ts'

export interface ShowRun {
  readonly work: Work
  readonly line: CommandLine
  readonly answers: Answers
  readonly terminal: Terminal
}

/** Carries out a run on a terminal: shows it, listens to signals, and says at the end what went wrong. Returns the exit code. */
export async function showRun({ work, line, answers, terminal }: ShowRun): Promise<number> {
  const { plan, run } = work
  const { env, stdout, stderr } = terminal
  const shownAs = shownPlan(plan, work.catalog, line.verbose)
  const style = createStyle(wantsColor(stdout, env))
  const goingOn = goingOnOf(work)
  const renderer = await chooseRenderer(line, env, {
    plan: shownAs,
    run,
    output: redacted(stdout),
    style,
    verbose: line.verbose,
    ...(goingOn && { goingOn }),
  })
  const shown = await show(work, { renderer, answers, terminal, line })
  const { outcome, signal, undoLogs, warnings } = shown
  if (!line.json && !line.quiet) {
    const lines = summaryLines(shownAs, shown.rows, shown.durationMs, style)
    if (lines.length > 0) redacted(stdout).write(`${lines.join('\n')}\n`)
  }

  const undoes = work.before?.mode === 'undo'
  const code = undoes ? (outcome.status === 'undone' ? 0 : 1) : exitCode(plan, outcome, signal)
  const report = {
    plan,
    cwd: terminal.cwd,
    verbose: line.verbose,
    style: createStyle(wantsColor(stderr, env)),
  }
  const log = shorten(logOf(work), terminal.cwd)
  const lines = warningBlock(warnings, report, outcome.called)
  if (code !== 0) {
    const next = nextCommands(run.id, plan, outcome, line)
    lines.push(...failureBlock({ ...report, outcome, undoLogs, signal, log, next, undoes }))
  }
  if (lines.length > 0) redacted(stderr).write(`${lines.join('\n')}\n`)
  return code
}

function goingOnOf({ plan, before }: Work): GoingOn | undefined {
  if (!before) return undefined
  if (before.mode === 'undo') return { mode: 'undo' }
  const kept = keptOf(before.recorded)
  const tasks = plan.nodes.filter(isTask)
  return { mode: 'resume', done: tasks.filter(({ id }) => kept.has(id)).length, of: tasks.length }
}

function isTask({ kind, milestone }: PlanNode): boolean {
  return kind === 'task' && !milestone
}

type Limits = Pick<ExecuteOptions, 'onFailure' | 'concurrency' | 'grace'> & Pick<RunInfo, 'lockWait'>

interface Screen {
  readonly renderer: Renderer
  readonly answers: Answers
  readonly terminal: Terminal
  readonly line: CommandLine
}

interface Shown {
  readonly outcome: RunOutcome
  readonly signal: StopSignal | undefined
  readonly undoLogs: ReadonlyMap<string, readonly string[]>
  readonly warnings: readonly Failure[]
  /** How its tasks ended. */
  readonly rows: EndedRows
  readonly durationMs: number
}

function limitsOf({ onFailure, concurrency, grace, lockWait }: CommandLine): Limits {
  return {
    onFailure,
    ...(concurrency !== undefined && { concurrency }),
    ...(grace !== undefined && { grace }),
    ...(lockWait !== undefined && { lockWait }),
  }
}

async function show(work: Work, { renderer, answers, terminal, line }: Screen): Promise<Shown> {
  const stopping = new AbortController()
  // Each command that runs listens; a hundred of them are no leak.
  setMaxListeners(0, stopping.signal)
  const undoLogs = new Map<string, string[]>()
  const warnings: Failure[] = []
  const rows = endedRows(shownPlan(work.plan, work.catalog, line.verbose))
  let durationMs = 0
  const undo = undoMode(line.undo, answers)
  const screen = takeScreen(renderer, answers, terminal)
  let signal: StopSignal | undefined
  const stopListening = listen(
    terminal.signals,
    (name) => {
      signal = name
      stopping.abort(new Error(name))
      const what =
        work.before?.mode === 'undo' ? 'undoing goes on' : `stopping${undo === 'on' ? ' and undoing' : ''}`
      renderer.notice(
        `${name}: ${what}. Press again to leave at once${undo === 'on' ? ', without undoing' : ''}.`,
      )
    },
    (name) => terminal.leave(signalCode(name), leftAtOnce(work, line)),
    undefined,
    // Ctrl-C is for what has the terminal.
    (name) => name !== 'SIGINT' || !screen.lent(),
  )
  const onEvent = (event: RunEvent): void => {
    if (event.type === 'node.log' && event.phase === 'undo') {
      undoLogs.set(event.node, [...(undoLogs.get(event.node) ?? []), event.message])
    }
    if (event.type === 'node.ended' && event.status === 'warned' && event.problem) {
      warnings.push({ node: event.node, phase: event.phase, problem: event.problem })
    }
    rows.event(event)
    if (event.type === 'run.ended') durationMs = event.durationMs
    renderer.event(event)
  }
  try {
    const { ask, people, lendTerminal } = screen
    const options = {
      ...{ ask, signal: stopping.signal, ...limitsOf(line), undo, onEvent },
      ...(terminal.lends === true && { lendTerminal }),
    }
    const outcome = await carryOut(work, options, people)
    return { outcome, signal, undoLogs, warnings, rows, durationMs }
  } finally {
    await renderer.end()
    stopListening()
  }
}

function leftAtOnce(work: Work, line: CommandLine): string {
  const what =
    'left at once: what was not undone yet stays as it is, and commands on hosts may still be running'
  const next = [...commandsFor(work.run.id, line), `Log: ${logOf(work)}`]
  return `deployfile: ${what}\n${next.map((text) => `  ${text}\n`).join('')}`
}

interface SharedScreen {
  readonly ask: Ask
  readonly people: People
  readonly lendTerminal: LendTerminal
  /** A program of a task has the terminal now. */
  readonly lent: () => boolean
}

/** One question, or one program, at a time, and the run's own screen stands still while it is there. */
function takeScreen(renderer: Renderer, answers: Answers, { promptHidden }: Terminal): SharedScreen {
  const inTurn = takeTurns()
  let lent = false
  const onScreen = <T>(put: () => Promise<T>): Promise<T> =>
    inTurn(async () => {
      await renderer.pause()
      try {
        return await put()
      } finally {
        renderer.resume()
      }
    })
  return {
    lent: () => lent,
    lendTerminal: (use) =>
      onScreen(async () => {
        lent = true
        try {
          return await use()
        } finally {
          lent = false
        }
      }),
    ask: (question) => onScreen(() => answer(question, answers)),
    people: {
      ...(promptHidden && { askHidden: (question) => onScreen(() => promptHidden(question)) }),
      notify: (message) => renderer.notice(message),
    },
  }
}
