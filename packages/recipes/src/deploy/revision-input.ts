import * as z from 'zod'
import { faulty } from '../option/faulty.ts'
import { branchFault, revisionFault } from '../source/branch.ts'

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
