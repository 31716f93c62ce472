/** What is known of a command that did not succeed. Success is exit code 0 and nothing else. */
export interface CommandFailure {
  /** As typed, secrets replaced by `***`. */
  readonly text: string
  readonly exitCode: number | null
  readonly signal: string | null
  /** The last lines of standard error, or of standard output when that is empty; at most 20. */
  readonly tail: readonly string[]
  /**
   * The last lines of both streams in the order in which they came, at most 20: up to 5 of them of standard output however long standard
   * error is, and 15 of standard error however long standard output is. Absent where somebody else than a shell tells of the failure.
   */
  readonly output?: readonly { readonly stream: 'stdout' | 'stderr'; readonly line: string }[]
  /** True when the link broke before the outcome was known. */
  readonly mayHaveRun?: boolean
}
