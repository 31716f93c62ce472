import { setMaxListeners } from 'node:events'
import { Problem, type Config, type Plan, type RunEvent } from '@deployfile/core'
import { answer, confirmStages, oneByOne, stageQuestions, undoMode, type Answers } from './confirm.ts'
import { eventStream, type EventStream } from './event-stream.ts'
import { limitsOf, type Limits } from './limits.ts'
import { programAnswers, type Confirm } from './program-answers.ts'
import { findPlace, makePlan, type PlanOptions } from './request.ts'
import { readResults, type RunResult } from './result.ts'
import type { Work } from './work.ts'

interface Conduct extends Limits {
  /** Without it, a protected stage is not written to and a task that asks fails, both with `NOT_CONFIRMED`. */
  readonly confirm?: Confirm
  /** As `--yes`: a protected stage may be written to. Never an answer to what destroys. Default false. */
  readonly yes?: boolean
  /** As `--lock-wait`, in milliseconds: how long to wait for a lock that another run holds on a host. Default: not at all. */
  readonly lockWait?: number
  /** Aborted: nothing new starts, what runs is cancelled, then everything is undone. The outcome is 'cancelled'. */
  readonly signal?: AbortSignal
}

export interface RunOptions extends PlanOptions, Conduct {
  readonly resume?: undefined
}

/** To go on with a run whose process is gone, or that failed with `undo: 'off'`: its stage, tasks and inputs come from the run. */
export interface ResumeOptions extends Pick<PlanOptions, 'cwd'>, Conduct {
  /** 'last', or the id of a run, or how it begins. */
  readonly resume: string
}

/** A run that has been started. */
export interface RunHandle {
  /**
   * Every event from the first (for a run that is resumed: from `run.resumed`), whenever reading begins, and again for each reader;
   * ends with the run. Throws what `outcome` rejects with.
   */
  readonly events: AsyncIterable<RunEvent>
  /** Resolves also when tasks fail. Rejects with a `Problem` when the run could not start: usage, or not confirmed. */
  readonly outcome: Promise<RunResult>
}

/**
 * Runs tasks as the command line does (config, plan, questions, journal, undo), without its screen, signals and exit codes.
 * Returns at once; nothing is connected before the plan is made and the questions are answered.
 */
export function run(config: Config | string, options: RunOptions | ResumeOptions): RunHandle {
  const stream = eventStream(() => {
    // Whoever reads events learns from them that the run could not start.
    outcome.catch(() => undefined)
  })
  const started = start(config, options, stream)
  started.then(
    () => {
      stream.ended()
    },
    (reason: unknown) => {
      stream.ended({ reason })
    },
  )
  // A promise of its own: one that nobody looks at must be reported as any other is.
  const outcome = started.then((result) => result)
  return { events: stream.events, outcome }
}

/**
 * What `run` would run, where, in which order and why: plain data, made without any connection.
 * @throws Problem (usage) for whatever the command line would refuse with exit code 2
 */
export async function plan(config: Config | string, options: PlanOptions): Promise<Plan> {
  return (await makePlan(config, options)).plan
}

async function start(
  config: Config | string,
  options: RunOptions | ResumeOptions,
  stream: EventStream,
): Promise<RunResult> {
  const limits = limitsOf(options)
  const lockWait = lockWaitOf(options)
  const answers = programAnswers(options.confirm, options.yes)
  const work = await begin(config, options, answers)
  const { catalog, plan, run: info, before } = work
  const { carryOut, logOf } = await import('./work.ts')
  const log = logOf(work)
  stream.opened(log, before?.bytes)
  const stopping = follow(options.signal)
  try {
    const outcome = await carryOut(work, {
      ...{ ...limits, ...lockWait },
      undo: undoMode(limits.undo, answers),
      ask: oneByOne((question) => answer(question, answers)),
      signal: stopping.signal,
      onEvent: () => stream.grew(),
    })
    return { ...outcome, id: info.id, plan, log, result: readResults(plan, outcome, catalog) }
  } finally {
    stopping.letGo()
  }
}

/** A new run, or one that is taken over. What a run takes is loaded when there is one: a config that is only read needs no connections. */
async function begin(
  config: Config | string,
  options: RunOptions | ResumeOptions,
  answers: Answers,
): Promise<Work> {
  if (options.resume !== undefined) {
    const id = options.resume === 'last' ? undefined : options.resume
    const [place, { takeUp }] = await Promise.all([findPlace(config, options.cwd), import('./take-up.ts')])
    return takeUp({ mode: 'resume', id }, place, answers)
  }
  const { plan, ...place } = await makePlan(config, options)
  await confirmStages(stageQuestions(plan, place.catalog), answers)
  const { newWork } = await import('./work.ts')
  return newWork(plan, place, process.env)
}

/** @throws Problem `OPTION_INVALID` (usage) */
function lockWaitOf({ lockWait }: Conduct): Pick<Conduct, 'lockWait'> {
  if (lockWait === undefined) return {}
  if (Number.isFinite(lockWait) && lockWait >= 0) return { lockWait }
  throw new Problem('usage', 'OPTION_INVALID', `lockWait is ${String(lockWait)}`, {
    hint: 'Give milliseconds, from 0.',
  })
}

/** A signal of our own: each command that runs listens to it, and a caller's signal may outlive many runs. */
function follow(signal: AbortSignal | undefined): { readonly signal: AbortSignal; letGo(): void } {
  const stopping = new AbortController()
  setMaxListeners(0, stopping.signal)
  const stop = (): void => {
    stopping.abort(signal?.reason)
  }
  if (signal?.aborted === true) stop()
  signal?.addEventListener('abort', stop)
  return { signal: stopping.signal, letGo: () => signal?.removeEventListener('abort', stop) }
}
