import { Problem } from '@deployfile/core'
import type { OnHost } from '../deploy/layout.ts'
import type { Packed, Settled, SourceScript } from './source.ts'

/** Shell function `sha256_of FILE`: prints the hash, by what there is. */
export const SHA256_FUNCTION = String.raw`
sha256_of() {
  if command -v sha256sum >/dev/null; then sha256sum < "$1" | cut -d ' ' -f 1
  elif command -v shasum >/dev/null; then shasum -a 256 < "$1" | cut -d ' ' -f 1
  else openssl dgst -sha256 -r < "$1" | cut -d ' ' -f 1; fi
}`

/** Gives a host the packed file; size and hash are checked before it has its name. */
export async function uploadPacked({ remote }: OnHost, { file }: Packed, folder: string): Promise<void> {
  await remote.mkdir(folder)
  await remote.uploadFile(file, `${folder}/packed`)
}

// Owners are those of who deploys: the archive's are of another machine. `tar -f` finds out by itself how a file is compressed.
const UNPACK_SCRIPT = String.raw`
step "unpacking $packed"
case $(head -c 2 "$packed") in PK) refuse "it is a zip file; pack it with tar" ;; esac
if [ "$strip" -gt 0 ]; then tar -x -o -f "$packed" -C "$stage" --strip-components "$strip"
else tar -x -o -f "$packed" -C "$stage"; fi
[ -n "$(ls -A "$stage")" ] || refuse "nothing is in it$([ "$strip" -eq 0 ] || printf ' below %s folders' "$strip")"
rm -rf "$folder"
step "writing REVISION_TIME"
rm -f "$stage/REVISION_TIME"
date +%s > "$stage/REVISION_TIME"`

/** Fills a release from a packed file on the host. */
export function unpackScript(folder: string, strip: number, prepare = '', values = {}): SourceScript {
  return {
    values: { folder, packed: `${folder}/packed`, strip: String(strip), ...values },
    prepare,
    unpack: UNPACK_SCRIPT,
  }
}

/**
 * What a source that is no repository does with `branch=` or `revision=`.
 * @throws Problem `NO_BRANCH` (check)
 */
export function refuseWanted(name: string, wanted: string | undefined): void {
  if (wanted === undefined) return
  throw new Problem('check', 'NO_BRANCH', `a release from ${name} has no branch ${JSON.stringify(wanted)}`, {
    hint: 'Leave branch= and revision= out.',
  })
}

/** The packed file, of which a run that goes on in another process knows only the name. */
export function packedOf({ packed }: Settled): Packed {
  if (packed) return packed
  throw new Error('a source that packs has settled without a packed file')
}
