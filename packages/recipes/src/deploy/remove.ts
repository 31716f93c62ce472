import { locate, type OnHost } from './layout.ts'
import { LEDGER_FUNCTION, ledgerLine, ledgerStart } from './ledger.ts'
import type { StageOptions } from './stage-options.ts'
import { runSteps } from './step.ts'

/**
 * Shell function `take_away NAME`. Nothing that is not finished stands in `releases` under a name that Capistrano's rollback would pick,
 * and nothing is removed under its own name: a kill in the middle leaves dot names, which the next deploy clears away. What `current`
 * resolves to is never touched.
 */
export const TAKE_AWAY = String.raw`
clear_away() { rm -rf "$1" 2>/dev/null || { chmod -R u+rwx "$1" && rm -rf "$1"; }; }
is_live() { [ -d "$to/current/" ] && [ "$(cd -P "$to/current/" && pwd -P)" = "$(cd -P "$1" && pwd -P)" ]; }
take_away() {
  if [ ! -d "$to/releases/$1" ] || [ -L "$to/releases/$1" ] || is_live "$to/releases/$1"; then return 0; fi
  case $1 in
    .*) clear_away "$to/releases/$1" ;;
    *) mv "$to/releases/$1" "$to/releases/.$1.gone.$run"
       clear_away "$to/releases/.$1.gone.$run" ;;
  esac
}`

const REMOVE_SCRIPT = String.raw`
to=$1 run=$2 name=$3 building=$4 failed=$5 keep=$6
ledger=$to/.deployfile/releases.jsonl release=$to/releases/$3 kept=$to/releases/.$3.failed
${LEDGER_FUNCTION}
${TAKE_AWAY}
step 'removing the release'
rm -rf "$to/.deployfile/source.$run" "$to/.deployfile/repo.$run"*
if [ -d "$to/releases/.$name/$run" ]; then take_away ".$name"; fi
if [ -f "$ledger" ] && grep -qF "$building" "$ledger"; then
  rmdir "$to/releases/.$name" 2>/dev/null || :
  if [ "$keep" = yes ] && [ -d "$release" ] && ! is_live "$release" && [ ! -e "$kept" ]; then
    mv "$release" "$kept"
    printf 'kept\n'
  else
    take_away "$name"
  fi
  if [ ! -e "$release" ] && ! grep -qF "$failed" "$ledger"; then ledger "$7" || :; fi
fi`

/**
 * Removes the release of this run, whole or half; fine when there is none. With `failedReleases: 'keep'` a whole one gets a dot name,
 * under which neither a rollback nor Capistrano picks it. It stays where `current` resolves to it, and where the ledger says that
 * another run made it. Returns the path of what was kept.
 */
export async function removeRelease(
  { remote, run }: OnHost,
  options: StageOptions,
  name: string,
): Promise<string | undefined> {
  const { deployTo, releases } = await locate(remote, options.deployTo)
  const at = new Date().toISOString()
  const failed = ledgerLine({ release: name, state: 'failed', run: run.id, at, user: run.user })
  const purpose = {
    title: `remove the release ${name}`,
    code: 'UNDO_FAILED',
    hint: 'The next deploy removes what is left.',
  }
  const { stdout } = await runSteps(remote, purpose, REMOVE_SCRIPT, [
    ...[deployTo, run.id, name],
    ...[ledgerStart(name, 'building', run.id), ledgerStart(name, 'failed', run.id)],
    ...[options.failedReleases === 'keep' ? 'yes' : 'no', failed],
  ])
  return stdout.includes('kept') ? `${releases}/.${name}.failed` : undefined
}

const CLEANUP_SCRIPT = String.raw`
to=$1 run=$2
shift 2
${TAKE_AWAY}
step 'removing old releases'
for name in "$@"; do
  if [ -d "$to/releases/$name" ]; then
    take_away "$name"
    if [ ! -d "$to/releases/$name" ]; then printf '%s\n' "$name"; fi
  fi
done`

/**
 * Removes old releases by name; never the one that `current` resolves to at that moment. Returns those that were there and are gone.
 */
export async function removeOldReleases(
  { remote, run }: OnHost,
  options: StageOptions,
  names: readonly string[],
): Promise<readonly string[]> {
  if (names.length === 0) return []
  const { deployTo } = await locate(remote, options.deployTo)
  const purpose = { title: 'remove old releases', code: 'CLEANUP_FAILED' }
  const { stdout } = await runSteps(remote, purpose, CLEANUP_SCRIPT, [deployTo, run.id, ...names])
  return stdout.split('\n').filter((name) => names.includes(name))
}
