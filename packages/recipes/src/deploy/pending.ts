import { Problem } from '@deployfile/core'
import { GIT_ENVIRONMENT } from '../source/git-script.ts'
import { findRevision } from '../source/revision.ts'
import { locate, type OnHost } from './layout.ts'
import type { StageOptions } from './stage-options.ts'
import { runSteps } from './step.ts'

export interface Commit {
  readonly revision: string
  readonly author: string
  readonly subject: string
}

/** What lies between what is live and what would be deployed. */
export interface Pending {
  readonly branch: string
  /** The commit that is live. */
  readonly from: string
  /** The commit that would be deployed. */
  readonly to: string
  /** The only folder of the repository that is deployed: commits and files are those that touch it. */
  readonly path?: string
  /** Newest first, at most 200. */
  readonly commits: readonly Commit[]
  /** Commits that are live and would be gone: the branch is another one, or older. */
  readonly lost: readonly Commit[]
  /** `git diff --stat`, without colours. */
  readonly stat: string
  /** The mirror lacks one of the two: what lies between them cannot be told. */
  readonly unknown?: true
}

const HAS_SCRIPT = String.raw`
repo=$1 sha=$2
if [ ! -f "$repo/HEAD" ]; then echo none
elif git -C "$repo" cat-file -e "$sha^{commit}" 2>/dev/null; then echo yes
else echo no; fi`

const FETCH_SCRIPT = `
step 'updating the mirror'
${GIT_ENVIRONMENT}
git -C "$1" remote set-url origin "$2"
git -C "$1" remote update --prune >&2`

const LOG_SCRIPT = String.raw`
repo=$1 from=$2 to=$3 path=$4
shift 4
if [ -n "$path" ]; then set -- -- ":(top,literal)$path"; fi
step 'comparing the commits'
git -C "$repo" log --no-color --no-show-signature --max-count=200 --format='new%x09%H%x09%an%x09%s' "$from..$to" "$@"
git -C "$repo" log --no-color --no-show-signature --max-count=200 --format='lost%x09%H%x09%an%x09%s' "$to..$from" "$@"
git -C "$repo" diff --no-color --no-ext-diff --stat=100 "$from" "$to" "$@" | sed 's/^/stat	/'`

/**
 * The commits between what is live on a host and what a deploy would take, and their files. Brings the mirror up to date where it
 * lacks the new one, as a deploy would.
 * @throws Problem `NO_RELEASE` (check) where nothing was deployed yet
 */
export async function findPending(
  context: OnHost,
  options: StageOptions,
  wanted: string | undefined,
): Promise<Pending> {
  const { remote, host, run } = context
  const { git, name } = options.source
  if (!git) {
    throw new Problem(
      'check',
      'NO_COMMITS',
      `releases come from ${name === 'archive' ? 'an' : 'a'} ${name}, which has no commits`,
      {
        host: host.name,
        hint: 'deploy:releases lists what was deployed.',
      },
    )
  }
  const { repository, branch = git.branch } = { repository: git.repository, branch: wanted }
  const { current, repo } = await locate(remote, options.deployTo)
  const from = await remote.capture`cat ${`${current}/REVISION`} 2>/dev/null || :`
  if (!/^[0-9a-f]{40,64}$/.test(from)) {
    throw new Problem('check', 'NO_RELEASE', `${host.name}: ${current}/REVISION is not there, or no commit`, {
      host: host.name,
      hint: 'Nothing was deployed yet, so everything is pending.',
    })
  }
  const to = await findRevision(remote, repository, branch)
  const has = (sha: string): Promise<string> =>
    runSteps(remote, { title: 'look into the mirror', code: 'PENDING_FAILED', reads: true }, HAS_SCRIPT, [
      repo,
      sha,
    ]).then(({ stdout }) => stdout.trim())
  const { path } = git
  const about = { branch, from, to, ...(path !== '' && { path }) }
  const unknown: Pending = { ...about, commits: [], lost: [], stat: '', unknown: true }
  const there = await has(to)
  if (there === 'none') {
    throw new Problem(
      'check',
      'NO_MIRROR',
      `${host.name}: there is no mirror ${repo} to compare commits in`,
      {
        host: host.name,
        hint: 'The next deploy makes one.',
      },
    )
  }
  if (there === 'no') {
    const purpose = { title: 'update the mirror', code: 'PENDING_FAILED' }
    await runSteps(remote, purpose, FETCH_SCRIPT, [repo, repository])
    if (run.dryRun === true) return unknown
  }
  if ((await has(from)) !== 'yes') return unknown
  const purpose = { title: 'compare the commits', code: 'PENDING_FAILED', reads: true }
  const { stdout } = await runSteps(remote, purpose, LOG_SCRIPT, [repo, from, to, path])
  return { ...about, ...readLog(stdout) }
}

function readLog(stdout: string): Pick<Pending, 'commits' | 'lost' | 'stat'> {
  const lines = stdout.split('\n').map((line) => line.split('\t'))
  const commits = (kind: string): readonly Commit[] =>
    lines
      .filter(([first]) => first === kind)
      .map(([, revision = '', author = '', ...subject]) => ({
        revision,
        author,
        subject: subject.join('\t'),
      }))
  const stat = lines.filter(([first]) => first === 'stat').map((line) => line.slice(1).join('\t'))
  return { commits: commits('new'), lost: commits('lost'), stat: stat.join('\n') }
}

/** For people. */
export function pendingLines(pending: Pending): readonly string[] {
  const { branch, from, to, path, commits, lost, stat, unknown } = pending
  const short = (sha: string): string => sha.slice(0, 10)
  if (from === to) return [`${branch} is live already: ${short(to)}`]
  const line = ({ revision, author, subject }: Commit): string => `${short(revision)} ${subject} (${author})`
  const count = (list: readonly Commit[], what: string): string =>
    `${list.length === 200 ? 'at least 200' : String(list.length)} ${list.length === 1 ? 'commit' : 'commits'} ${what}`
  const nothing = commits.length + lost.length === 0 && stat === ''
  return [
    `${branch}: from ${short(from)}, which is live, to ${short(to)}`,
    ...(unknown ? ['how they are related is not known here'] : []),
    ...(path !== undefined && !unknown ? [nothing ? `nothing in ${path} changes` : `in ${path}:`] : []),
    ...(commits.length > 0 ? [count(commits, 'would be deployed:'), ...commits.map(line)] : []),
    ...(lost.length > 0 ? [count(lost, 'would be gone:'), ...lost.map(line)] : []),
    ...(stat === '' ? [] : stat.split('\n')),
  ]
}
