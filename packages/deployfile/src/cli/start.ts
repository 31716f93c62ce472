import { setMaxListeners } from 'node:events'
import path from 'node:path'
import {
  execute,
  redact,
  type Ask,
  type Catalog,
  type ExecuteOptions,
  type Failure,
  type Plan,
  type RunEvent,
  type RunInfo,
  type RunOutcome,
} from '@deployfile/core'
import { failureBlock, warningBlock } from '../render/failure.ts'
import { shorten } from '../render/problem.ts'
import type { Renderer } from '../render/renderer.ts'
import { createStyle, wantsColor, type Output } from '../render/style.ts'
import { chooseRenderer } from './choose-renderer.ts'
import {
  answer,
  confirmStages,
  oneByOne,
  stageQuestions,
  type Answers,
  type Wording,
} from '../run/confirm.ts'
import { exitCode, signalCode } from './exit-code.ts'
import type { CommandLine } from './grammar.ts'
import { openDoors } from '../run/doors.ts'
import { runInfo } from '../run/run-info.ts'
import { listen, type StopSignal } from './signals.ts'
import { makeRunFolder } from '../run/state-folder.ts'
import type { Terminal } from './terminal.ts'

export interface Start {
  readonly catalog: Catalog
  readonly plan: Plan
  readonly line: CommandLine
  readonly confirm: string | undefined
  /** The folder of deploy.config.ts. */
  readonly root: string
  readonly terminal: Terminal
}

const WORDING: Wording = {
  nobody: 'there is no terminal to ask on',
  yes: '--yes',
  confirm: (name) => `confirm=${name}`,
}

/**
 * Runs a plan: questions first, then everything else. Returns the exit code.
 * @throws Problem (check) when it is not confirmed, or its log cannot be written
 */
export async function startRun({ catalog, plan, line, confirm, root, terminal }: Start): Promise<number> {
  const { env, stdout, stderr } = terminal
  const answers: Answers = { yes: line.yes, confirm, prompt: terminal.prompt, wording: WORDING }
  await confirmStages(stageQuestions(plan, catalog), answers)

  const run = await runInfo(root, env)
  const folder = makeRunFolder(root, run.id)
  const style = createStyle(wantsColor(stdout, env))
  const output = redacted(stdout)
  const renderer = await chooseRenderer(line, env, { plan, run, output, style, verbose: line.verbose })
  const { outcome, signal, undoLogs, warnings } = await show({
    catalog,
    plan,
    run,
    folder,
    renderer,
    answers,
    terminal,
    limits: limitsOf(line),
  })

  const code = exitCode(plan, outcome, signal)
  const report = {
    plan,
    cwd: terminal.cwd,
    verbose: line.verbose,
    style: createStyle(wantsColor(stderr, env)),
  }
  const log = shorten(path.join(folder, 'events.jsonl'), terminal.cwd)
  const lines = warningBlock(warnings, report, outcome.called)
  if (code !== 0) lines.push(...failureBlock({ ...report, outcome, undoLogs, signal, log }))
  if (lines.length > 0) redacted(stderr).write(`${lines.join('\n')}\n`)
  return code
}

interface Show {
  readonly catalog: Catalog
  readonly plan: Plan
  readonly run: RunInfo
  readonly folder: string
  readonly renderer: Renderer
  readonly answers: Answers
  readonly terminal: Terminal
  readonly limits: Limits
}

type Limits = Pick<ExecuteOptions, 'onFailure' | 'concurrency' | 'grace'>

interface Shown {
  readonly outcome: RunOutcome
  readonly signal: StopSignal | undefined
  readonly undoLogs: ReadonlyMap<string, readonly string[]>
  readonly warnings: readonly Failure[]
}

function limitsOf({ onFailure, concurrency, grace }: CommandLine): Limits {
  return {
    onFailure,
    ...(concurrency !== undefined && { concurrency }),
    ...(grace !== undefined && { grace }),
  }
}

async function show({
  catalog,
  plan,
  run,
  folder,
  renderer,
  answers,
  terminal,
  limits,
}: Show): Promise<Shown> {
  const stopping = new AbortController()
  // Each command that runs listens; a hundred of them are no leak.
  setMaxListeners(0, stopping.signal)
  const undoLogs = new Map<string, string[]>()
  const warnings: Failure[] = []
  const doors = openDoors(run, folder)
  let signal: StopSignal | undefined
  const stopListening = listen(
    terminal.signals,
    (name) => {
      signal = name
      stopping.abort(new Error(name))
      renderer.notice(`${name}: stopping and undoing. Press again to leave at once, without undoing.`)
    },
    (name) => terminal.leave(signalCode(name), leftAtOnce(folder)),
  )
  const onEvent = (event: RunEvent): void => {
    if (event.type === 'node.log' && event.phase === 'undo') {
      undoLogs.set(event.node, [...(undoLogs.get(event.node) ?? []), event.message])
    }
    if (event.type === 'node.ended' && event.status === 'warned' && event.problem) {
      warnings.push({ node: event.node, phase: event.phase, problem: event.problem })
    }
    renderer.event(event)
  }
  try {
    const ask = askOnScreen(renderer, answers)
    const outcome = await execute(plan, {
      catalog,
      shells: doors.shells,
      run,
      ask,
      signal: stopping.signal,
      journal: doors.journal,
      ...limits,
      onEvent,
    })
    return { outcome, signal, undoLogs, warnings }
  } finally {
    await renderer.end()
    await doors.close()
    stopListening()
  }
}

function leftAtOnce(folder: string): string {
  const what =
    'left at once: what was not undone yet stays as it is, and commands on hosts may still be running'
  return `deployfile: ${what}\n  Log: ${path.join(folder, 'events.jsonl')}\n`
}

/** The screen stands still while a question is on it. */
function askOnScreen(renderer: Renderer, answers: Answers): Ask {
  return oneByOne(async (question) => {
    await renderer.pause()
    try {
      await answer(question, answers)
    } finally {
      renderer.resume()
    }
  })
}

/** The last gate: shells redact what they emit, messages of tasks pass only here. */
function redacted(output: Output): Output {
  return {
    write: (text) => output.write(redact(text)),
    isTTY: output.isTTY,
    get columns() {
      return output.columns
    },
    get rows() {
      return output.rows
    },
  }
}
