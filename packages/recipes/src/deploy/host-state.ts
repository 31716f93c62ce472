import type { Shell } from '@deployfile/core'
import { readLedger, type ReleaseState } from './ledger.ts'
import { runSteps } from './step.ts'

/** A folder in `releases` whose name is 14 digits. */
export interface ReleaseDir {
  readonly name: string
  /** It has a REVISION: Capistrano and this recipe write one when the files are complete. */
  readonly complete: boolean
  /** What the ledger says of it; absent for a release that Capistrano made. */
  readonly state?: ReleaseState
}

/** What is on a host, as one script found it: plain data, because it is the result of a task. */
export interface HostState {
  /** The text of the link `current`, as it is written. */
  readonly link?: string
  /** The release that `current` resolves to, however the link is written. */
  readonly live?: string
  /** By name, oldest first. */
  readonly releases: readonly ReleaseDir[]
  /** Half-built and half-removed folders of ours in `releases`. */
  readonly hidden: readonly string[]
  /** The latest name that was given out here, also to a release that is gone. */
  readonly newest?: string
}

/**
 * Prints the state of `$to`, one tab-separated fact a line. Reads only. Paths are compared resolved: a relative link or a link in
 * the path must not make the live release look unused (Capistrano's own cleanup compares texts, and deletes it). The ledger is read
 * from its end: its last lines are about the releases that are still there.
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
    if [ -f "$dir/REVISION" ]; then printf 'release\t%s\tcomplete\n' "$(basename "$dir")"
    else printf 'release\t%s\t-\n' "$(basename "$dir")"; fi
  done
fi
if [ -f "$to/.deployfile/releases.jsonl" ]; then
  tail -n 1000 "$to/.deployfile/releases.jsonl" | while IFS= read -r line || [ -n "$line" ]; do
    printf 'ledger\t%s\n' "$line"
  done
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
const HIDDEN = /^\.\d{14}\.[\w.-]+$/

export function readState(stdout: string): HostState {
  const facts = stdout.split('\n').map((line) => line.split('\t'))
  const texts = (kind: string): string[] =>
    facts.filter(([first]) => first === kind).map((fact) => fact.slice(1).join('\t'))
  const ledger = readLedger(texts('ledger'))
  const [link, live] = [texts('link')[0], texts('live')[0]]
  const dirs = facts
    .filter(([kind]) => kind === 'release')
    .map(([, name = '', complete]) => ({ name, complete }))
  const releases = dirs
    .filter(({ name }) => NAME.test(name))
    .map(({ name, complete }) => describe(name, complete === 'complete', ledger.get(name)?.state))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  const newest = [...releases.map(({ name }) => name), ...ledger.keys()]
    .filter((name) => NAME.test(name))
    .sort()
    .at(-1)
  return {
    ...(link !== undefined && { link }),
    ...(live !== undefined && { live }),
    releases,
    hidden: dirs.map(({ name }) => name).filter((name) => HIDDEN.test(name)),
    ...(newest !== undefined && { newest }),
  }
}

function describe(name: string, complete: boolean, state: ReleaseState | undefined): ReleaseDir {
  return { name, complete, ...(state !== undefined && { state }) }
}

/**
 * Releases that one may go back to, oldest first: complete, and not known to be bad. Those that Capistrano made are in no ledger and
 * count as good. The live one counts whatever the ledger says: a run may have died between the flip and its line.
 */
export function goodReleases({ releases, live }: HostState): readonly string[] {
  return releases
    .filter(
      ({ name, complete, state }) => name === live || (complete && (state === undefined || state === 'live')),
    )
    .map(({ name }) => name)
}

/** What a killed run left: folders under dot names, and releases that were being built and never became live. */
export function leftovers({ releases, hidden, live }: HostState): readonly string[] {
  const unfinished = releases.filter(({ name, state }) => state === 'building' && name !== live)
  return [...hidden, ...unfinished.map(({ name }) => name)]
}
