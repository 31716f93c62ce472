import type { ProblemRecord } from '../problem/problem.ts'
import type { Phase } from './event.ts'

/** Something that went wrong in one phase of one node. The first of the run stands first. */
export interface Failure {
  readonly node: string
  readonly phase: Phase
  readonly problem: ProblemRecord
}
