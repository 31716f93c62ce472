/** Something that only a person may decide. Answered by typing `answer` exactly, never by "yes". */
export interface Question {
  /** What will happen, in full sentences. */
  readonly message: string
  /** What must be typed: a database's or a stage's name. */
  readonly answer: string
  /** `--yes` answers it as well, because nothing is lost that could not be had back. Default false. */
  readonly mayBeYes?: boolean
}

/** Puts a question to whoever started the run; rejects with the `check` problem `NOT_CONFIRMED` when the answer is another or nobody can be asked. */
export type Ask = (question: Question) => Promise<void>

/**
 * Asks for something that must not be seen, a passphrase or a password: what is typed is neither shown nor written down anywhere.
 * Undefined: the person gave up.
 */
export type AskHidden = (question: { readonly message: string }) => Promise<string | undefined>
