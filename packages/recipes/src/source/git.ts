import * as z from 'zod'
import { parseOptions } from '../option/parse-options.ts'
import { pathInside } from '../option/path.ts'
import { MIRROR_SCRIPT, UNPACK_SCRIPT } from './git-script.ts'
import { findRevision, readRepository } from './revision.ts'
import type { Settled, Source } from './source.ts'

/** How a commit becomes a release. */
export interface GitOptions {
  /** Only this folder of the repository is deployed: `'apps/api'`. Default: all of it. */
  readonly path?: string | undefined
  /** Submodules are part of a release, each at the commit that the repository names. Default false: their folders stay empty. */
  readonly submodules?: boolean | undefined
  /** The mirror has only so many commits of each branch. Default: all. `deploy:pending` then shows no more than that. */
  readonly depth?: number | undefined
  /** Files of Git LFS are fetched; hosts need git-lfs. Default false. */
  readonly lfs?: boolean | undefined
  /**
   * The commit must be signed. `true`: by a key that git on the host trusts (its gpg keyring, or `gpg.ssh.allowedSignersFile`).
   * `{ allowedSigners }`: a file on this machine in the format of ssh-keygen(1), relative to the folder of deploy.config.ts; then only
   * signatures by ssh keys count. Needs git 2.34 on hosts. Default false.
   */
  readonly verifySignature?: boolean | { readonly allowedSigners: string } | undefined
}

/** What `git()` gives: the `repository` and the `branch` are deploy()'s own. */
export interface GitSource {
  readonly '~source': 'git'
  readonly options: GitOptions
}

const schema = z.strictObject({
  path: pathInside.optional(),
  submodules: z.boolean().optional(),
  depth: z.number().int().min(1).optional(),
  lfs: z.boolean().optional(),
  verifySignature: z.union([z.boolean(), z.strictObject({ allowedSigners: z.string().min(1) })]).optional(),
})

/**
 * Releases from a git repository, otherwise than plainly: a folder of it, with submodules, LFS files, a shallow mirror, signed only.
 * @throws Problem `OPTION_INVALID` (usage)
 */
export function git(options: GitOptions = {}): GitSource {
  return { '~source': 'git', options: parseOptions('git', schema, options) }
}

/** The source of a repository and a branch. */
export function gitSource(repository: string, branch: string, options: GitOptions): Source {
  const { path = '', submodules = false, depth = 0, lfs = false, verifySignature = false } = options
  const yes = (option: boolean): string => (option ? 'yes' : 'no')
  return {
    name: 'git',
    programs: lfs ? ['git', 'git-lfs'] : ['git'],
    git: { repository, branch, path },
    async reach({ remote }, wanted) {
      if (wanted) await findRevision(remote, repository, branch)
      else await readRepository(remote, repository)
    },
    async settle({ remote, local }, wanted = branch) {
      const revision = await findRevision(remote, repository, wanted)
      const signers =
        typeof verifySignature === 'object' ? await local.readFile(verifySignature.allowedSigners) : undefined
      return { revision, branch: wanted, ...(signers !== undefined && { signers }) }
    },
    script({ revision, signers = '' }: Settled) {
      const values = {
        ...{ url: repository, sha: revision, depth: String(depth), path },
        ...{ submodules: yes(submodules), lfs: yes(lfs), signed: yes(verifySignature !== false), signers },
      }
      return { values, prepare: MIRROR_SCRIPT, unpack: UNPACK_SCRIPT }
    },
    async preview({ remote }, { revision }, { repo }, to) {
      const commit = `${revision}^{commit}`
      if (!(await remote.exists(`${repo}/HEAD`))) {
        if (depth > 0)
          await remote.sh`git clone --mirror --depth ${depth} --no-single-branch -- ${repository} ${repo}`
        else await remote.sh`git clone --mirror -- ${repository} ${repo}`
      } else if (!(await remote.test`git -C ${repo} cat-file -e ${commit} 2>/dev/null || exit 1`))
        await remote.sh`git -C ${repo} remote update --prune`
      if (verifySignature !== false) await remote.sh`git -C ${repo} verify-commit ${revision}`
      if (lfs) await remote.sh`git -C ${repo} lfs fetch origin ${revision}`
      await remote.sh`mkdir ${to}`
      const tree = path === '' ? revision : `${revision}:${path}`
      await remote.sh`git -C ${repo} archive ${tree} | tar -x -f - -C ${to}`
      if (submodules) await remote.sh`git -C ${repo} ls-tree -r ${tree} | grep ^160000`
    },
  }
}
