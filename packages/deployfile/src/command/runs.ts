import { Problem } from '@deployfile/core'
import { readConfirm, takeUpRun, type TakeUp } from './resume.ts'

const HINT = 'deployfile runs lists the runs; deployfile runs undo RUN undoes what one of them has left.'

/** `runs undo RUN`: undoes what a run has left that was killed, or failed with undo off. Returns the exit code. */
export function undoCommand(command: TakeUp): Promise<number> {
  const { confirm, others } = readConfirm(command.line.words.slice(2))
  const [id, ...more] = others
  if (id === undefined) {
    throw new Problem('usage', 'RUN_MISSING', 'no run was named', {
      hint: 'Say which: deployfile runs undo RUN. deployfile runs lists them.',
    })
  }
  if (more.length > 0) throw unknown(more.join(' '))
  return takeUpRun({ mode: 'undo', id }, { ...command, confirm })
}

/** What `runs` is asked to do. */
export function runsCommand(words: readonly string[]): 'list' | 'undo' {
  const [, word = 'list', ...more] = words
  if (word === 'undo') return 'undo'
  if (word !== 'list') throw unknown(word)
  if (more.length > 0) throw unknown(more.join(' '))
  return 'list'
}

function unknown(word: string): Problem {
  return new Problem('usage', 'WORD_UNKNOWN', `'runs' does not know '${word}'`, { hint: HINT })
}
