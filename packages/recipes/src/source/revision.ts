import { isProblem, nearest, Problem, type Shell } from '@deployfile/core'
import { GIT_ENVIRONMENT } from './git-script.ts'

const HASH = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/

// A name that matches nothing is answered with the names that there are, in the same round trip.
const SCRIPT = `# find the commit to deploy
${GIT_ENVIRONMENT}
url=$1 name=$2
found=$(git ls-remote -- "$url" HEAD "refs/heads/$name" "refs/tags/$name" "refs/tags/$name^{}")
printf '%s\\n' "$found"
case $found in
  *"	refs/heads/$name"* | *"	refs/tags/$name"*) ;;
  *) git ls-remote --heads -- "$url" | head -n 500 | sed 's/^/known	/' ;;
esac`

/**
 * The full hash of a branch, tag, `HEAD` or full hash, as the repository says, asked from a host. A branch goes before a tag of the
 * same name. A full hash is believed here; that the commit exists is seen when it is fetched.
 * @throws Problem (check) `REPOSITORY_UNREACHABLE`, or `BRANCH_UNKNOWN` with the branches that there are
 */
export async function findRevision(remote: Shell, repository: string, branch: string): Promise<string> {
  const lines = await listRefs(remote, repository, branch)
  const refs = new Map(lines.filter(([hash]) => HASH.test(hash)).map(([hash, ref]) => [ref, hash]))
  const names = [`refs/heads/${branch}`, `refs/tags/${branch}^{}`, `refs/tags/${branch}`]
  const hash = names.map((name) => refs.get(name)).find((found) => found !== undefined)
  if (hash !== undefined) return hash
  if (HASH.test(branch)) return branch
  const head = refs.get('HEAD')
  if (branch === 'HEAD' && head !== undefined) return head
  const known = lines
    .filter(([hash]) => hash === 'known')
    .map(([, , ref]) => (ref ?? '').replace('refs/heads/', ''))
  throw unknownBranch(remote.host.name, repository, branch, known)
}

/**
 * Asks a repository for anything at all.
 * @throws Problem (check) `REPOSITORY_UNREACHABLE`
 */
export async function readRepository(remote: Shell, repository: string): Promise<void> {
  await listRefs(remote, repository, 'HEAD')
}

type Line = readonly [hash: string, ref: string, of: string | undefined]

async function listRefs(remote: Shell, repository: string, branch: string): Promise<readonly Line[]> {
  try {
    const { stdout } = await remote.script(SCRIPT, [repository, branch], { reads: true })
    return stdout.split('\n').map((line): Line => {
      const [hash = '', ref = '', of] = line.split('\t')
      return [hash, ref, of]
    })
  } catch (error) {
    if (!isProblem(error) || error.code !== 'COMMAND_FAILED') throw error
    throw unreachable(remote.host.name, repository, error)
  }
}

function unreachable(host: string, repository: string, error: Problem): Problem {
  const said = error.details.command?.tail ?? []
  const why =
    said.find((line) => /^(?:fatal|error|ERROR):|denied|verification failed/.test(line)) ?? said.at(-1)
  return new Problem(
    'check',
    'REPOSITORY_UNREACHABLE',
    `${host} cannot read the repository ${repository}${why ? `: ${why}` : ''}`,
    {
      host,
      hint: `${reasonOf(said.join('\n'))} To see it for yourself, on ${host}: git ls-remote ${repository}`,
      command: error.details.command,
      cause: error,
    },
  )
}

function reasonOf(said: string): string {
  if (said.includes('Host key verification failed'))
    return "The git server's host key is not in known_hosts there: connect once by hand and compare its fingerprint."
  if (/Permission denied|could not read (?:Username|Password)|Authentication failed/.test(said))
    return 'Its login may not read the repository: add its public key there as a deploy key.'
  if (/not found.*git|git: (?:command )?not found/.test(said)) return 'git is not installed there.'
  return 'Is the address right, as seen from that host?'
}

function unknownBranch(host: string, repository: string, branch: string, known: readonly string[]): Problem {
  const guess = nearest(branch, known)
  const shown = known.slice(0, 10).join(', ') + (known.length > 10 ? ` and ${known.length - 10} more` : '')
  const list = known.length === 0 ? 'The repository has no branches.' : `It has ${shown}.`
  return new Problem(
    'check',
    'BRANCH_UNKNOWN',
    `the repository ${repository} has no branch or tag ${JSON.stringify(branch)}`,
    {
      host,
      key: 'branch',
      hint: `${guess === undefined ? '' : `Did you mean '${guess}'? `}${list} A commit is named by its full hash.`,
    },
  )
}
