/** What is known of a command that did not succeed. Success is exit code 0 and nothing else. */
export interface CommandFailure {
  /** As typed, secrets replaced by `***`. */
  readonly text: string
  readonly exitCode: number | null
  readonly signal: string | null
  /** The last lines of standard error, or of standard output when that is empty; at most 20. */
  readonly tail: readonly string[]
  /** True when the link broke before the outcome was known. */
  readonly mayHaveRun?: boolean
}
