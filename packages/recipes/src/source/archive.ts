import { Problem } from '@deployfile/core'
import * as z from 'zod'
import { faulty } from '../option/faulty.ts'
import { parseOptions } from '../option/parse-options.ts'
import { packedOf, refuseWanted, SHA256_FUNCTION, unpackScript, uploadPacked } from './packed.ts'
import type { Source } from './source.ts'

export type ArchiveOptions = {
  /** Of the archive, 64 hexadecimal digits: what is not that is not unpacked. */
  readonly sha256: string
  /** Folders at the start of every name in it that are left out: 1 for what GitHub packs. Default 0. */
  readonly strip?: number
} & (
  | {
      /** Hosts fetch it themselves, by curl or wget: `https://…/app-1.2.tar.gz`. */
      readonly url: string
      readonly file?: undefined
    }
  | {
      /** A file on this machine, relative to the folder of deploy.config.ts; hosts get it from here. */
      readonly file: string
      readonly url?: undefined
    }
)

const schema = z
  .strictObject({
    url: faulty((url) =>
      /^https?:\/\/[^\s/\u0000-\u001f]+[^\s\u0000-\u001f]*$/.test(url)
        ? undefined
        : `${JSON.stringify(url)} is not an address that begins with https:// or http://`,
    ).optional(),
    file: z.string().min(1).optional(),
    sha256: z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits; sha256sum gives them'),
    strip: z.number().int().min(0).optional(),
  })
  .refine(({ url, file }) => (url === undefined) !== (file === undefined), 'expected either a url or a file')

const DOWNLOAD_SCRIPT = String.raw`
${SHA256_FUNCTION}
mkdir -p "$folder"
step "downloading $address"
if command -v curl >/dev/null; then
  curl --fail --silent --show-error --location --retry 2 --connect-timeout 20 --output "$packed.part" -- "$address"
elif command -v wget >/dev/null; then wget -q -T 20 -t 3 -O "$packed.part" -- "$address"
else refuse 'neither curl nor wget is installed'; fi
step "checking $address"
found=$(sha256_of "$packed.part")
[ "$found" = "$sum" ] || refuse "its sha256 is $found, and not $sum"
mv "$packed.part" "$packed"`

/**
 * Releases from a tar archive, compressed or not, that is known by its hash.
 * @throws Problem `OPTION_INVALID` (usage)
 */
export function archive(options: ArchiveOptions): Source {
  const { url, file = '', sha256, strip = 0 } = parseOptions('archive', schema, options)
  const from = url ?? file
  const name = from.slice(from.lastIndexOf('/') + 1).replace(/[?#].*$/, '') || from
  return {
    name: 'archive',
    programs: [],
    async settle({ local, run }, wanted) {
      refuseWanted('an archive', wanted)
      if (url !== undefined) return { revision: sha256, branch: name }
      const absolute = file.startsWith('/') ? file : `${run.root}/${file}`
      if (!(await local.exists(absolute))) {
        throw new Problem('check', 'SOURCE_MISSING', `there is no archive ${absolute}`, {
          hint: `Its path is relative to the folder of deploy.config.ts.`,
        })
      }
      const script = `${SHA256_FUNCTION}\nsha256_of "$1"`
      const { stdout } = await local.script(script, [absolute], { reads: true })
      if (stdout.trim() !== sha256) {
        throw new Problem(
          'check',
          'SOURCE_CHANGED',
          `the sha256 of ${absolute} is ${stdout.trim()}, and not ${sha256}`,
          {
            hint: 'Is it the right file? If so, give its new hash.',
          },
        )
      }
      return { revision: sha256, branch: name, packed: { file: absolute, sha256 } }
    },
    ...(url === undefined && {
      bring: (context, settled, folder) => uploadPacked(context, packedOf(settled), folder),
    }),
    script: (_, folder) =>
      url === undefined
        ? unpackScript(folder, strip)
        : unpackScript(folder, strip, DOWNLOAD_SCRIPT, { address: url, sum: sha256 }),
    async preview({ remote }, { packed }, _, to) {
      if (packed) await remote.uploadFile(packed.file, `${to}.tar`)
      else await remote.sh`curl --fail --location --output ${`${to}.tar`} -- ${from}`
      await remote.sh`mkdir ${to}`
      await remote.sh`tar -x -o -f ${`${to}.tar`} -C ${to} --strip-components ${strip}`
    },
  }
}
