import { GIT_ENVIRONMENT, MIRROR_SCRIPT, UNPACK_SCRIPT } from '../source/git.ts'
import { leftovers, type HostState } from './host-state.ts'
import { locate, type OnHost } from './layout.ts'
import { LEDGER_FUNCTION, ledgerLine, ledgerStart } from './ledger.ts'
import type { StageOptions } from './options.ts'
import { runSteps } from './step.ts'
import type { Release, Revision } from './tasks.ts'

// Nothing that is not finished stands in `releases` under a name that Capistrano's rollback would pick, and nothing is removed under
// its own name: a kill in the middle leaves dot names, which the next deploy clears away. What `current` resolves to is never touched.
const TAKE_AWAY = String.raw`
take_away() {
  if [ ! -d "$to/releases/$1" ] || [ -L "$to/releases/$1" ]; then return 0; fi
  if [ -d "$to/current/" ] && [ "$(cd -P "$to/current/" && pwd -P)" = "$(cd -P "$to/releases/$1" && pwd -P)" ]; then return 0; fi
  case $1 in
    .*) rm -rf "$to/releases/$1" ;;
    *) mv "$to/releases/$1" "$to/releases/.$1.gone.$run"
       rm -rf "$to/releases/.$1.gone.$run" ;;
  esac
}`

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

const BUILD_SCRIPT = String.raw`
to=$1 run=$2 name=$3 sha=$4 url=$5 building=$6 repair=$7 leftovers=$8 files=$9
shift 9
own=$to/.deployfile repo=$to/repo ledger=$own/releases.jsonl final=$to/releases/$name stage=$to/releases/.$name.$run
${LEDGER_FUNCTION}
${TAKE_AWAY}
step 'making the folders'
mkdir -p "$to/releases" "$to/shared" "$own"
step 'removing what a killed run left'
rm -rf "$own"/repo.*
for left in $leftovers; do take_away "$left"; done
for left in "$to"/.current.*.part; do
  if [ -L "$left" ]; then rm -f "$left"; fi
done
if [ -n "$repair" ]; then ledger "$repair"; fi
${GIT_ENVIRONMENT}
${MIRROR_SCRIPT}
step 'making the release'
if [ -e "$final" ] || [ -L "$final" ]; then refuse "$final is there already"; fi
ledger "$building"
mkdir "$stage"
${UNPACK_SCRIPT}
${LINK_SHARED}
step 'giving the release its name'
if [ -e "$final" ] || [ -L "$final" ]; then refuse "$final is there already"; fi
mv "$stage" "$final"`

/**
 * Builds the release on a host: mirror, unpacked commit, REVISION, links to `shared`; under a dot name, then renamed.
 * @throws Problem (task) `RELEASE_FAILED` with the step that failed
 */
export async function buildRelease(
  { remote, run }: OnHost,
  options: StageOptions,
  { name, revision, branch }: Revision,
  state: HostState,
): Promise<Release> {
  const layout = await locate(remote, options.deployTo)
  const entry = { release: name, run: run.id, at: new Date().toISOString(), user: run.user, revision, branch }
  const { linkedFiles, linkedDirs, repository } = options
  // A run that died between the flip and its line left the live release as 'building': say what it is, or it would be cleared away
  // once it is no longer live.
  const unsaid = state.releases.find((one) => one.name === state.live && one.state === 'building')
  const repair = unsaid ? ledgerLine({ release: unsaid.name, state: 'live', run: run.id, at: entry.at }) : ''
  await runSteps(remote, { title: `build the release ${name}`, code: 'RELEASE_FAILED' }, BUILD_SCRIPT, [
    ...[layout.deployTo, run.id, name, revision, repository],
    ...[ledgerLine({ ...entry, state: 'building' }), repair, leftovers(state).join(' ')],
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

const REMOVE_SCRIPT = String.raw`
to=$1 run=$2 name=$3 building=$4 failed=$5
ledger=$to/.deployfile/releases.jsonl
${LEDGER_FUNCTION}
${TAKE_AWAY}
step 'removing the release'
take_away ".$name.$run"
if [ -f "$ledger" ] && grep -qF "$building" "$ledger"; then
  take_away "$name"
  if [ ! -e "$to/releases/$name" ] && ! grep -qF "$failed" "$ledger"; then ledger "$6"; fi
fi`

/**
 * Removes the release of this run, whole or half; fine when there is none. It stays where `current` resolves to it, and where the
 * ledger says that another run made it.
 */
export async function removeRelease(
  { remote, run }: OnHost,
  options: StageOptions,
  name: string,
): Promise<void> {
  const layout = await locate(remote, options.deployTo)
  await runSteps(
    remote,
    {
      title: `remove the release ${name}`,
      code: 'UNDO_FAILED',
      hint: 'The next deploy removes what is left.',
    },
    REMOVE_SCRIPT,
    [
      ...[layout.deployTo, run.id, name],
      ...[ledgerStart(name, 'building', run.id), ledgerStart(name, 'failed', run.id)],
      ledgerLine({
        release: name,
        state: 'failed',
        run: run.id,
        at: new Date().toISOString(),
        user: run.user,
      }),
    ],
  )
}

const CLEANUP_SCRIPT = String.raw`
to=$1 run=$2
shift 2
${TAKE_AWAY}
step 'removing old releases'
for name in "$@"; do take_away "$name"; done`

/** Removes old releases by name; never the one that `current` resolves to at that moment. */
export async function removeOldReleases(
  { remote, run }: OnHost,
  options: StageOptions,
  names: readonly string[],
): Promise<void> {
  const layout = await locate(remote, options.deployTo)
  await runSteps(remote, { title: 'remove old releases', code: 'CLEANUP_FAILED' }, CLEANUP_SCRIPT, [
    layout.deployTo,
    run.id,
    ...names,
  ])
}
