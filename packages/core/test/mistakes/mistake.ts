/** What somebody gets wrong, and all that the compiler says about it. */
export interface Mistake {
  readonly title: string
  readonly code: string
  /** The whole list, each as `line: message`; a line of the code counts from 1. */
  readonly errors: readonly string[]
}

/** One error whose explanation goes on below it. */
export function lines(...text: readonly string[]): string {
  return text.join('\n')
}
