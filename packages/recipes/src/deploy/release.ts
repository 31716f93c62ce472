import { broughtTo, type SourceScript } from '../source/source.ts'
import type { HostState } from './host-state.ts'
import { locate, type Layout, type OnHost } from './layout.ts'
import { leftovers } from './leftovers.ts'
import { LEDGER_FUNCTION, ledgerLine, ledgerStart } from './ledger.ts'
import { thisProcess } from './lock/process.ts'
import type { StageOptions } from './stage-options.ts'
import { TAKE_AWAY } from './remove.ts'
import { runSteps } from './step.ts'
import type { Release, Revision } from './before-migrate.ts'

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
    if [ "$files" -lt "$optional" ] && [ ! -e "$to/shared/$path" ]; then continue; fi
    mkdir -p "$to/shared/$parent"
    if [ ! -L "$target" ] && [ -d "$target" ]; then refuse "the linked file $path is a folder in the repository"; fi
  else
    if [ ! -d "$to/shared/$path" ]; then
      mkdir -p "$to/shared/$path"
      if [ -n "$group" ]; then chgrp "$group" "$to/shared/$path"; fi
    fi
    if [ ! -L "$target" ] && [ -d "$target" ]; then rm -rf "$target"; fi
  fi
  if [ ! -L "$target" ]; then
    rm -f "$target"
    ln -s "$to/shared/$path" "$target"
  fi
done`

// The folder `.<name>` is made by one run only, so that two which were started without a lock in the same second do not share a release.
const buildScript = ({ values, prepare, unpack }: SourceScript): string => String.raw`
to=$1 run=$2 name=$3 revision=$4 building=$5 ours=$6 repair=$7 leftovers=$8 locked=$9
shift 9
files=$1 optional=$2 group=$3
shift 3
${Object.keys(values)
  .map((key) => `${key}=$1; shift`)
  .join('\n')}
own=$to/.deployfile repo=$to/repo ledger=$own/releases.jsonl
final=$to/releases/$name claim=$to/releases/.$name stage=$to/releases/.$name/$run
${LEDGER_FUNCTION}
${TAKE_AWAY}
step 'making the folders'
mkdir -p "$to/releases" "$to/shared" "$own"
step 'removing what a killed run left'
if [ "$locked" = yes ]; then
  for left in "$own"/repo.* "$own"/flip.* "$own"/source.*; do
    case $left in */source."$run") ;; *) rm -rf "$left" ;; esac
  done
fi
for left in $leftovers; do take_away "$left"; done
if [ -f "$ledger" ] && grep -qF "$ours" "$ledger"; then
  take_away "$name"
  if [ -d "$stage" ]; then take_away ".$name"; fi
fi
if [ -n "$repair" ]; then ledger "$repair"; fi
${prepare}
step 'making the release'
taken() {
  if [ -e "$final" ] || [ -L "$final" ]; then refuse "$final is there already"; fi
}
taken
mkdir "$claim" || refuse "another run is making a release of this name"
mkdir "$stage"
ledger "$building"
${unpack}
step 'writing REVISION'
rm -f "$stage/REVISION"
printf '%s\n' "$revision" > "$stage/REVISION"
if [ -n "$group" ]; then
  step "giving the release to the group $group"
  chgrp -R "$group" "$stage"
fi
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
  context: OnHost,
  options: StageOptions,
  settled: Revision,
  state: HostState,
  locked: boolean,
): Promise<Release> {
  const { remote, run } = context
  const { name, revision, branch } = settled
  const layout = await locate(remote, options.deployTo)
  const at = new Date().toISOString()
  const { linkedDirs, source, group = '' } = options
  // The optional ones last: they are told by their number.
  const linkedFiles = [...options.linkedFiles].sort(
    (a, b) => Number(a.optional === true) - Number(b.optional === true),
  )
  const optional = linkedFiles.filter((file) => file.optional === true).length
  const building = ledgerLine({
    ...{ release: name, state: 'building', run: run.id, at, user: run.user, revision, branch },
    ...{ process: thisProcess(), locked },
  })
  // A run that died between the flip and its line left the live release as 'building': say what it is, or it would be cleared away
  // once it is no longer live.
  const unsaid = state.releases.find((one) => one.name === state.live && one.state === 'building')
  const repair = unsaid ? ledgerLine({ release: unsaid.name, state: 'live', run: run.id, at }) : ''
  const folder = broughtTo(layout, run.id)
  await uploadLinkedFiles(context, options, layout)
  await source.bring?.(context, settled, folder)
  const script = source.script(settled, folder)
  const purpose = { title: `build the release ${name}`, code: 'RELEASE_FAILED' }
  await runSteps(remote, purpose, buildScript(script), [
    ...[layout.deployTo, run.id, name, revision, building, ledgerStart(name, 'building', run.id)],
    ...[repair, leftovers(state, { run: run.id, locked }).join(' '), locked ? 'yes' : 'no'],
    ...[String(linkedFiles.length), String(optional), group, ...Object.values(script.values)],
    ...[...linkedFiles.map(({ path }) => path), ...linkedDirs],
  ])
  return {
    name,
    path: `${layout.releases}/${name}`,
    revision,
    branch,
    ...(state.link !== undefined && { previous: state.link }),
  }
}

/** Puts into `shared` what is not there yet and is here: on a first deploy, mostly. */
async function uploadLinkedFiles(
  { remote, run, log }: OnHost,
  { linkedFiles }: StageOptions,
  { shared }: Layout,
): Promise<void> {
  for (const { path, upload } of linkedFiles) {
    const target = `${shared}/${path}`
    if (upload === undefined || (await remote.exists(target))) continue
    await remote.mkdir(target.slice(0, target.lastIndexOf('/')))
    await remote.uploadFile(upload.startsWith('/') ? upload : `${run.root}/${upload}`, target, {
      mode: 0o600,
    })
    log(`${path} is put into shared`)
  }
}
