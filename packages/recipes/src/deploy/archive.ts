import { locate, type OnHost } from './layout.ts'
import type { StageOptions } from './stage-options.ts'
import { TAKE_AWAY } from './remove.ts'
import { runSteps } from './step.ts'

// The archive is Capistrano's in name, place and members (`var/www/app/releases/…`). It gets its name when it is whole.
const ARCHIVE_SCRIPT = String.raw`
to=$1 run=$2 name=$3 archive=$4
release=$to/releases/$name part=$to/.deployfile/rolled-back.$run.part
${TAKE_AWAY}
if [ ! -d "$release" ] || [ -L "$release" ] || is_live "$release"; then exit 0; fi
step "packing $release"
if [ -d "$archive" ]; then refuse "$archive is a folder"; fi
trap 'rm -f "$part"; exit 143' HUP INT TERM
tar -czf "$part" -C / "$(printf '%s' "$release" | cut -c2-)" || { rm -f "$part"; refuse 'tar did not end well'; }
mv -f "$part" "$archive"
step "removing $release"
take_away "$name"
printf 'packed\n'`

/**
 * Packs a release that was rolled back into `rolled-back-release-<name>.tar.gz` and removes it, as Capistrano does. Undefined when it
 * is not there, or live.
 */
export async function archiveRelease(
  { remote, run }: OnHost,
  options: StageOptions,
  name: string,
): Promise<string | undefined> {
  const { deployTo } = await locate(remote, options.deployTo)
  const archive = `${deployTo}/rolled-back-release-${name}.tar.gz`
  const purpose = {
    title: `pack the release ${name}`,
    code: 'ARCHIVE_FAILED',
    hint: 'It stays where it is, and is not taken for a good release.',
  }
  const { stdout } = await runSteps(remote, purpose, ARCHIVE_SCRIPT, [deployTo, run.id, name, archive])
  return stdout.includes('packed') ? archive : undefined
}
