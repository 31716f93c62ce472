import { Problem } from '@deployfile/core'
import { locate, type OnHost } from './layout.ts'
import { LEDGER_FUNCTION, ledgerLine, type ReleaseState } from './ledger.ts'
import type { StageOptions } from './options.ts'
import { runSteps } from './step.ts'
import type { Flip } from './tasks.ts'

const BEFORE_SCRIPT = String.raw`
to=$1 name=$2
step 'looking at current'
if [ -e "$to/current" ] && [ ! -L "$to/current" ]; then refuse "$to/current is not a link"; fi
if [ -z "$name" ]; then
  [ -d "$to/current/" ] || refuse "there is no release that $to/current points to"
  name=$(basename "$(cd -P "$to/current/" && pwd -P)")
fi
[ -f "$to/releases/$name/REVISION" ] || refuse "the release $to/releases/$name is not there, or not whole"
printf 'name\t%s\n' "$name"
if [ -L "$to/current" ]; then printf 'link\t%s\n' "$(readlink "$to/current")"; fi`

// A link left at releases/current (Capistrano's way of renaming, interrupted) would make its next `ln -s` land inside a release.
const AFTER_SCRIPT = String.raw`
own=$1/.deployfile ledger=$1/.deployfile/releases.jsonl stale=$1/releases/current
shift
${LEDGER_FUNCTION}
step 'writing the ledger'
mkdir -p "$own"
for line in "$@"; do ledger "$line"; done
step 'removing a stale releases/current'
if [ -L "$stale" ]; then rm -f "$stale"; fi`

/** What is known of a flip besides its target. */
export interface FlipDetails {
  readonly revision?: string
  readonly branch?: string
  /** Releases that `current` is taken off because they are bad. */
  readonly bad?: readonly string[]
}

/**
 * Points `current` at a release, in one step and read back, by the absolute path that Capistrano would write; without a name, at the
 * release that it points to already, which mends a link that is relative or goes through another.
 * @throws Problem (task) `PUBLISH_FAILED`
 */
export async function flip(
  { remote, run }: OnHost,
  options: StageOptions,
  name: string | undefined,
  { bad = [], ...details }: FlipDetails,
): Promise<Flip> {
  const layout = await locate(remote, options.deployTo)
  const failure = { title: `publish ${name ?? 'again'}`, code: 'PUBLISH_FAILED' }
  const { stdout } = await runSteps(remote, { ...failure, reads: true }, BEFORE_SCRIPT, [
    layout.deployTo,
    name ?? '',
  ])
  const facts = new Map(
    stdout.split('\n').map((line) => [line.slice(0, line.indexOf('\t')), line.slice(line.indexOf('\t') + 1)]),
  )
  const target = facts.get('name') ?? ''
  const previous = facts.get('link')
  await remote.symlink(`${layout.releases}/${target}`, layout.current)
  const at = new Date().toISOString()
  const about = { run: run.id, at, user: run.user }
  const lines = [
    ...bad
      .filter((one) => one !== target)
      .map((release) => ledgerLine({ release, state: 'rolled-back', ...about })),
    ledgerLine({ release: target, state: 'live', ...about, ...details }),
  ]
  await runSteps(remote, failure, AFTER_SCRIPT, [layout.deployTo, ...lines])
  return { name: target, ...(previous !== undefined && { previous }) }
}

const POINTS_SCRIPT = String.raw`
step 'looking at current'
if [ -L "$1/current" ]; then readlink "$1/current"; fi`

const UNLINK_SCRIPT = String.raw`
step 'removing current'
if [ "$(readlink "$1/current" || :)" = "$2" ]; then rm -f "$1/current"; fi`

/**
 * Takes a flip back: `current` gets the text that it had before, or goes where there was none. Does nothing when it points elsewhere
 * by now. `states` is what the ledger then says of releases. True when it flipped.
 */
export async function flipBack(
  { remote, run, host }: OnHost,
  options: StageOptions,
  flipped: Flip,
  states: Readonly<Record<string, ReleaseState>>,
): Promise<boolean> {
  const layout = await locate(remote, options.deployTo)
  const failure = { title: `take the flip to ${flipped.name} back`, code: 'UNDO_FAILED' }
  const target = `${layout.releases}/${flipped.name}`
  const { stdout } = await runSteps(remote, { ...failure, reads: true }, POINTS_SCRIPT, [layout.deployTo])
  if (stdout.replace(/\n$/, '') !== target || flipped.previous === target) return false
  if (flipped.previous === undefined)
    await runSteps(remote, failure, UNLINK_SCRIPT, [layout.deployTo, target])
  else await putBack(layout.current, flipped.previous)
  const at = new Date().toISOString()
  const lines = Object.entries(states).map(([release, state]) =>
    ledgerLine({ release, state, run: run.id, at, user: run.user }),
  )
  await runSteps(remote, failure, AFTER_SCRIPT, [layout.deployTo, ...lines])
  return true

  async function putBack(current: string, previous: string): Promise<void> {
    try {
      await remote.symlink(previous, current)
    } catch (cause) {
      throw new Problem(
        'task',
        'UNDO_FAILED',
        `${host.name}: ${current} still points to ${target}, not back to ${previous}`,
        {
          host: host.name,
          hint: `Put it back there by hand: ln -sfn ${previous} ${current}`,
          cause,
        },
      )
    }
  }
}
