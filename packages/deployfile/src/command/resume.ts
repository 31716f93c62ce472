import { Problem } from '@deployfile/core'
import { takeUp, type Wanted } from '../run/take-up.ts'
import type { Place } from '../run/work.ts'
import type { CommandLine } from '../cli/command-line.ts'
import { filterWords } from '../cli/grammar.ts'
import { showRun } from '../cli/show-run.ts'
import { answersOf } from '../cli/start.ts'
import type { Terminal } from '../cli/terminal.ts'
import { warnOfChanges } from './changed-sources.ts'

export interface TakeUp {
  readonly place: Place
  readonly line: CommandLine
  /** `confirm=NAME` */
  readonly confirm: string | undefined
  readonly terminal: Terminal
}

/** `--resume[=RUN]`: goes on with a run. Returns the exit code. */
export function resumeCommand(command: TakeUp): Promise<number> {
  const { line } = command
  const { confirm, others: words } = readConfirm(line.words)
  const others = [...words, ...filterWords(line.filters)]
  if (others.length > 0) {
    throw new Problem('usage', 'RESUME_ALONE', `--resume stands alone, and not beside ${others.join(' ')}`, {
      hint: 'Stage, tasks and inputs come from the run. To run something else, leave --resume out.',
    })
  }
  return takeUpRun(
    { mode: 'resume', id: typeof line.resume === 'string' ? line.resume : undefined },
    { ...command, confirm },
  )
}

/** Goes on with a run or undoes it, on a terminal. */
export async function takeUpRun(wanted: Wanted, { place, line, confirm, terminal }: TakeUp): Promise<number> {
  const beside = line.dryRun ? '--dry-run' : line.plan ? '--plan' : undefined
  if (beside !== undefined) {
    const what = wanted.mode === 'resume' ? '--resume goes on with a run' : 'runs undo undoes a run'
    throw new Problem('usage', 'OPTION_INVALID', `${what}, and ${beside} runs nothing`, {
      hint: `Leave ${beside} out.`,
    })
  }
  const answers = answersOf(line, confirm, terminal)
  const work = await takeUp(wanted, place, answers)
  warnOfChanges(work, terminal)
  return showRun({ work, line, answers, terminal })
}

/** The answer to a question is the only thing that these commands take as `key=value`. */
export function readConfirm(words: readonly string[]): {
  readonly confirm: string | undefined
  readonly others: readonly string[]
} {
  const CONFIRM = /^(?:--)?confirm=/
  const given = words.filter((word) => CONFIRM.test(word))
  return {
    confirm: given.at(-1)?.replace(CONFIRM, ''),
    others: words.filter((word) => !CONFIRM.test(word)),
  }
}
