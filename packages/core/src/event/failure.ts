import type { ProblemRecord } from '../problem/problem.ts'

/** What is being done to a node: its body, taking it back, or its last act. */
export type Phase = 'run' | 'undo' | 'finally'

/** Something that went wrong in one phase of one node. The first of the run stands first. */
export interface Failure {
  readonly node: string
  readonly phase: Phase
  readonly problem: ProblemRecord
}
