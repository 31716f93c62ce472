import type { Shell } from '@deployfile/core'
import { readLedger, type LedgerEntry, type ReleaseState } from './ledger.ts'
import { runSteps } from './step.ts'

/** A folder in `releases` whose name is 14 digits. */
export interface ReleaseDir {
  readonly name: string
  /** It has a REVISION: Capistrano and this recipe write one when the files are complete. */
  readonly complete: boolean
  /** What its REVISION says. */
  readonly revision?: string
  /** What the ledger says of it; absent for a release that Capistrano made. */
  readonly state?: ReleaseState
  /** Of one that Capistrano made: its log names others that were deployed, also older ones, and not this. */
  readonly neverLive?: true
}

/** What is on a host, as one script found it: plain data, because it is the result of a task. */
export interface HostState {
  /** The text of the link `current`, as it is written. */
  readonly link?: string
  /** The release that `current` resolves to, however the link is written. */
  readonly live?: string
  /** By name, oldest first. */
  readonly releases: readonly ReleaseDir[]
  /** Half-built and half-removed folders of ours in `releases`, and failed releases that were kept. */
  readonly hidden: readonly string[]
  /** Names in `releases`, dot names too, in whose folders nothing has changed for a day. */
  readonly old: readonly string[]
  /** The latest name that was given out here, also to a release that is gone. */
  readonly newest?: string
  /** What is being built, or was when its run died. */
  readonly building: readonly Building[]
  /** What the ledger says of the live release: the run that put `current` there, and the bad one that it took it off. */
  readonly flipped?: { readonly run: string; readonly off?: string } | undefined
}

/** A release, or what is to become one, whose last word in the ledger is 'building'. */
export interface Building extends Pick<LedgerEntry, 'run' | 'process' | 'locked'> {
  readonly name: string
}

/**
 * Prints the state of `$to`, one tab-separated fact a line. Reads only. Paths are compared resolved: a relative link or a link in
 * the path must not make the live release look unused (Capistrano's own cleanup compares texts, and deletes it). The ledger and
 * revisions.log are read from their ends: their last lines are about the releases that are still there.
 */
export const STATE_SCRIPT = String.raw`
step 'reading the releases'
if [ -L "$to/current" ]; then
  printf 'link\t%s\n' "$(readlink "$to/current")"
  if [ -d "$to/current/" ] && [ -d "$to/releases/" ]; then
    live=$(cd -P "$to/current/" && pwd -P)
    base=$(cd -P "$to/releases/" && pwd -P)
    if [ "$(dirname "$live")" = "$base" ]; then printf 'live\t%s\n' "$(basename "$live")"; fi
  fi
fi
if [ -d "$to/releases" ]; then
  for dir in "$to/releases"/[0-9]* "$to/releases"/.[0-9]*; do
    [ -d "$dir" ] && [ ! -L "$dir" ] || continue
    if [ -f "$dir/REVISION" ]; then
      sha=
      IFS= read -r sha < "$dir/REVISION" || :
      printf 'release\t%s\tcomplete\t%s\n' "$(basename "$dir")" "$sha"
    else
      printf 'release\t%s\t-\n' "$(basename "$dir")"
    fi
  done
  { find "$to/releases"/[0-9]* "$to/releases"/.[0-9]* -prune -type d -mmin +1440 2>/dev/null || :; } | sed 's,.*/,old	,'
fi
if [ -f "$to/.deployfile/releases.jsonl" ]; then
  tail -n 500 "$to/.deployfile/releases.jsonl" | while IFS= read -r line || [ -n "$line" ]; do
    printf 'ledger\t%s\n' "$line"
  done
fi
if [ -f "$to/revisions.log" ]; then
  tail -n 500 "$to/revisions.log" | LC_ALL=C sed -n 's/.* release \([0-9]\{14\}\)\( by .*\)\{0,1\}$/logged	\1/p'
fi`

/** Reads the state of a host as it is now. */
export async function surveyHost(remote: Shell, deployTo: string): Promise<HostState> {
  const { stdout } = await runSteps(
    remote,
    { title: 'look at the releases', code: 'SURVEY_FAILED', reads: true },
    `to=$1${STATE_SCRIPT}`,
    [deployTo],
  )
  return readState(stdout)
}

const NAME = /^\d{14}$/
// A folder that a release is built in, one that is being removed, and a failed one that was kept.
const HIDDEN = /^\.\d{14}(?:\.gone\.[\w.-]+|\.failed)?$/

export function readState(stdout: string): HostState {
  const facts = stdout.split('\n').map((line) => line.split('\t'))
  const texts = (kind: string): string[] =>
    facts.filter(([first]) => first === kind).map((fact) => fact.slice(1).join('\t'))
  const ledger = readLedger(texts('ledger'))
  const [link, live] = [texts('link')[0], texts('live')[0]]
  const dirs = facts
    .filter(([kind]) => kind === 'release')
    .map(([, name = '', complete, revision = '']) => ({
      ...{ name, complete: complete === 'complete' },
      ...(/^[0-9a-f]{7,64}$/.test(revision) && { revision }),
    }))
  const neverLive = notLogged(texts('logged'))
  const releases = dirs
    .filter(({ name }) => NAME.test(name))
    .map((dir) => describe(dir, ledger.get(dir.name)?.state, neverLive))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  const flipped = live === undefined ? undefined : flipOf(ledger, live)
  const newest = [...releases.map(({ name }) => name), ...ledger.keys()]
    .filter((name) => NAME.test(name))
    .sort()
    .at(-1)
  return {
    ...(link !== undefined && { link }),
    ...(live !== undefined && { live }),
    releases,
    hidden: dirs.map(({ name }) => name).filter((name) => HIDDEN.test(name)),
    old: texts('old'),
    ...(newest !== undefined && { newest }),
    building: [...ledger.values()]
      .filter(({ state, release }) => state === 'building' && NAME.test(release) && release !== live)
      .map(describeBuilding),
    ...(flipped && { flipped }),
  }
}

function flipOf(ledger: ReadonlyMap<string, LedgerEntry>, live: string): HostState['flipped'] {
  const said = ledger.get(live)
  if (said?.state !== 'live') return undefined
  const { run } = said
  const off = [...ledger.values()]
    .filter((entry) => entry.state === 'rolled-back' && entry.run === run)
    .map(({ release }) => release)
    .sort()
    .at(-1)
  return { run, ...(off !== undefined && { off }) }
}

function describe(
  dir: Pick<ReleaseDir, 'name' | 'complete' | 'revision'>,
  state: ReleaseState | undefined,
  neverLive: (name: string) => boolean,
): ReleaseDir {
  if (state !== undefined) return { ...dir, state }
  return { ...dir, ...(neverLive(dir.name) && { neverLive: true as const }) }
}

function describeBuilding({ release: name, run, process, locked }: LedgerEntry): Building {
  return { name, run, ...(process && { process }), ...(locked !== undefined && { locked }) }
}

/**
 * A deploy of Capistrano that failed leaves a release with REVISION and no line in revisions.log. A log without any line that can be
 * read (its text may be changed) says nothing, nor does one that begins later than the release.
 */
function notLogged(names: readonly string[]): (name: string) => boolean {
  const logged = new Set(names)
  const first = [...logged].sort()[0]
  return (name) => first !== undefined && name > first && !logged.has(name)
}

/**
 * Releases that one may go back to, oldest first: complete, and not known to be bad. Those that Capistrano made are in no ledger and
 * count as good unless they were never live. The live one counts whatever is said of it: a run may have died between the flip and
 * its line.
 */
export function goodReleases({ releases, live }: HostState): readonly string[] {
  return releases
    .filter(
      ({ name, complete, state, neverLive }) =>
        name === live || (complete && neverLive !== true && (state === undefined || state === 'live')),
    )
    .map(({ name }) => name)
}
