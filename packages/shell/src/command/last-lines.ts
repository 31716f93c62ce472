import type { CommandFailure } from '@deployfile/core'

type Told = NonNullable<CommandFailure['output']>[number]

/** What a command said last, as far as its failure tells it. */
export interface LastLines {
  add(told: Told): void
  /** Of standard error, or of standard output when that is empty: where the reason stands. */
  readonly tail: readonly string[]
  /** Of both, as they came. */
  readonly output: readonly Told[]
}

const LINES = 20
/** Of both streams together standard error comes first: a long standard output must not push the reason out. */
const OF_STDOUT = 5

export function createLastLines(): LastLines {
  let count = 0
  const kept = { stdout: [] as [number, Told][], stderr: [] as [number, Told][] }
  return {
    add(told) {
      const lines = kept[told.stream]
      lines.push([count++, told])
      if (lines.length > LINES) lines.shift()
    },
    get tail() {
      const lines = kept.stderr.length > 0 ? kept.stderr : kept.stdout
      return lines.map(([, { line }]) => line)
    },
    get output() {
      const { stdout, stderr } = kept
      const errors = stderr.slice(-(LINES - Math.min(OF_STDOUT, stdout.length)))
      const others = stdout.slice(Math.max(0, stdout.length - (LINES - errors.length)))
      return [...others, ...errors].sort(([a], [b]) => a - b).map(([, told]) => told)
    },
  }
}
