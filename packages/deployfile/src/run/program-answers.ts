import type { Question } from '@deployfile/core'
import type { Answers } from './confirm.ts'

/** The answer to every question: the name that must be typed, or a function that is given the question and returns what was typed. */
export type Confirm = string | ((question: Question) => string | undefined | Promise<string | undefined>)

/** The command line's rules, in the words of a program. */
export function programAnswers(confirm: Confirm | undefined, yes = false): Answers {
  return {
    yes,
    confirm: typeof confirm === 'string' ? confirm : undefined,
    prompt: typeof confirm === 'function' ? async (question) => confirm(question) : undefined,
    wording: {
      nobody: 'no `confirm` was given to answer it',
      yes: 'yes: true',
      confirm: (name) => `confirm: '${name}'`,
    },
  }
}
