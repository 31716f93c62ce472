import { GIT_ENVIRONMENT, MIRROR_SCRIPT, UNPACK_SCRIPT } from '../source/git.ts'
import type { HostState } from './host-state.ts'
import { locate, type OnHost } from './layout.ts'
import { leftovers } from './leftovers.ts'
import { LEDGER_FUNCTION, ledgerLine, ledgerStart } from './ledger.ts'
import { thisProcess } from './lock/process.ts'
import type { StageOptions } from './options.ts'
import { TAKE_AWAY } from './remove.ts'
import { runSteps } from './step.ts'
import type { Release, Revision } from './tasks.ts'

// Capistrano's symlink:linked_files and linked_dirs: the text of a link is absolute, a link that is tracked stays, a tracked file or
// folder gives way. What it gets wrong is refused: ln would put the link inside a folder that stands where a file is wanted, and
// below a link, tracked or just made, `rm -rf` would empty what the link leads to.
const LINK_SHARED = String.raw`
step 'linking shared files'
inside=$(cd -P "$stage" && pwd -P)
for path in "$@"; do
  parent=$(dirname "$path")
  made=$parent
  while [ ! -d "$stage/$made" ]; do made=$(dirname "$made"); done
  case $(cd -P "$stage/$made" && pwd -P)/ in
    "$inside"/*) mkdir -p "$stage/$parent" ;;
    *) refuse "$path: a link in the repository leads out of the release" ;;
  esac
  target=$stage/$path
  if [ "$files" -gt 0 ]; then
    files=$((files - 1))
    mkdir -p "$to/shared/$parent"
    if [ ! -L "$target" ] && [ -d "$target" ]; then refuse "the linked file $path is a folder in the repository"; fi
  else
    mkdir -p "$to/shared/$path"
    if [ ! -L "$target" ] && [ -d "$target" ]; then rm -rf "$target"; fi
  fi
  if [ ! -L "$target" ]; then
    rm -f "$target"
    ln -s "$to/shared/$path" "$target"
  fi
done`

// The folder `.<name>` is made by one run only, so that two which were started without a lock in the same second do not share a release.
const BUILD_SCRIPT = String.raw`
to=$1 run=$2 name=$3 sha=$4 url=$5 building=$6 ours=$7 repair=$8 leftovers=$9
shift 9
locked=$1 files=$2
shift 2
own=$to/.deployfile repo=$to/repo ledger=$own/releases.jsonl
final=$to/releases/$name claim=$to/releases/.$name stage=$to/releases/.$name/$run
${LEDGER_FUNCTION}
${TAKE_AWAY}
step 'making the folders'
mkdir -p "$to/releases" "$to/shared" "$own"
step 'removing what a killed run left'
if [ "$locked" = yes ]; then rm -rf "$own"/repo.* "$own"/flip.*; fi
for left in $leftovers; do take_away "$left"; done
if [ -f "$ledger" ] && grep -qF "$ours" "$ledger"; then
  take_away "$name"
  if [ -d "$stage" ]; then take_away ".$name"; fi
fi
if [ -n "$repair" ]; then ledger "$repair"; fi
${GIT_ENVIRONMENT}
${MIRROR_SCRIPT}
step 'making the release'
taken() {
  if [ -e "$final" ] || [ -L "$final" ]; then refuse "$final is there already"; fi
}
taken
mkdir "$claim" || refuse "another run is making a release of this name"
mkdir "$stage"
ledger "$building"
${UNPACK_SCRIPT}
${LINK_SHARED}
step 'giving the release its name'
taken
mv "$stage" "$final"
rmdir "$claim"`

/**
 * Builds the release on a host: mirror, unpacked commit, REVISION, links to `shared`; under a dot name, then renamed. What this run
 * may have begun before, in a process that died, is begun anew.
 * @throws Problem (task) `RELEASE_FAILED` with the step that failed
 */
export async function buildRelease(
  { remote, run }: OnHost,
  options: StageOptions,
  { name, revision, branch }: Revision,
  state: HostState,
  locked: boolean,
): Promise<Release> {
  const layout = await locate(remote, options.deployTo)
  const at = new Date().toISOString()
  const { linkedFiles, linkedDirs, repository } = options
  const building = ledgerLine({
    ...{ release: name, state: 'building', run: run.id, at, user: run.user, revision, branch },
    ...{ process: thisProcess(), locked },
  })
  // A run that died between the flip and its line left the live release as 'building': say what it is, or it would be cleared away
  // once it is no longer live.
  const unsaid = state.releases.find((one) => one.name === state.live && one.state === 'building')
  const repair = unsaid ? ledgerLine({ release: unsaid.name, state: 'live', run: run.id, at }) : ''
  await runSteps(remote, { title: `build the release ${name}`, code: 'RELEASE_FAILED' }, BUILD_SCRIPT, [
    ...[layout.deployTo, run.id, name, revision, repository],
    ...[building, ledgerStart(name, 'building', run.id), repair],
    ...[leftovers(state, { run: run.id, locked }).join(' '), locked ? 'yes' : 'no'],
    ...[String(linkedFiles.length), ...linkedFiles, ...linkedDirs],
  ])
  return {
    name,
    path: `${layout.releases}/${name}`,
    revision,
    branch,
    ...(state.link !== undefined && { previous: state.link }),
  }
}
