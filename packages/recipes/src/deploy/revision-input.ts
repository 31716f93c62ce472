import * as z from 'zod'
import { faulty } from '../option/faulty.ts'
import { branchFault, revisionFault } from '../source/branch.ts'
import type { StageOptions } from './options.ts'
import type { RevisionInput } from './tasks.ts'

/** What beats the config's branch for one run. A commit is named by its whole hash, because only that can be asked of a server. */
export const revisionInput = z
  .object({
    branch: faulty(branchFault).optional().describe('a branch, a tag or a full commit hash'),
    revision: faulty(revisionFault).optional().describe('the full hash of a commit'),
  })
  .refine(
    ({ branch, revision }) => branch === undefined || revision === undefined,
    'branch and revision contradict each other: give one',
  )

export function wantedBranch({ branch, revision }: RevisionInput, options: StageOptions): string {
  return revision ?? branch ?? options.branch
}
