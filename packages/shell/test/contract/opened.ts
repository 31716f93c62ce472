import { type CommandEvent, isProblem, type Problem, type Shell } from '@deployfile/core'

/** A shell to test, and what can be seen of it from here. */
export interface Opened {
  readonly shell: Shell
  /** Where its relative paths start, as a path of this machine. */
  readonly folder: string
  /** Where local paths of transfers start. */
  readonly root: string
  readonly events: CommandEvent[]
}

export type Open = (options?: {
  readonly signal?: AbortSignal
  readonly emit?: (event: CommandEvent) => void
}) => Opened

export async function problemOf(promise: Promise<unknown>): Promise<Problem> {
  const error: unknown = await promise.then(
    (value) => new Error(`it resolved with ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  )
  if (!isProblem(error)) throw error
  return error
}

/** Polls, because what is awaited happens in another process. */
export async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 5_000
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`never became true: ${condition.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
