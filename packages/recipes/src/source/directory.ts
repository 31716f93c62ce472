import { Problem, isProblem } from '@deployfile/core'
import * as z from 'zod'
import type { OnHost } from '../deploy/layout.ts'
import { runSteps } from '../deploy/step.ts'
import { faulty } from '../option/faulty.ts'
import { parseOptions } from '../option/parse-options.ts'
import { packedOf, refuseWanted, SHA256_FUNCTION, unpackScript, uploadPacked } from './packed.ts'
import type { Packed, Source } from './source.ts'

export interface DirectoryOptions {
  /** On this machine, relative to the folder of deploy.config.ts: `'dist'`. */
  readonly path: string
  /** What stays here, as `tar --exclude` takes it: `['node_modules', '*.map']`. `.git` and `.deployfile` always do. Default: none. */
  readonly exclude?: readonly string[]
  /** The full hash of the commit that it was built from: `process.env.GITHUB_SHA`. Default: the sha256 of what is packed. */
  readonly revision?: string | undefined
}

const schema = z.strictObject({
  path: z.string().min(1, 'the path of a folder cannot be empty'),
  exclude: z.array(z.string().min(1)).optional(),
  revision: faulty((hash) =>
    /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(hash)
      ? undefined
      : `${JSON.stringify(hash)} is not the full hash of a commit`,
  ).optional(),
})

// Packed once, in the order of names, so that the same files make the same bytes. Names travel between zero bytes, because tar would
// read backslashes and line ends in them.
const PACK_SCRIPT = String.raw`
folder=$1 file=$2
shift 2
${SHA256_FUNCTION}
step "packing $folder"
[ -d "$folder" ] || refuse "there is no folder $folder"
case $file in
  '')
    # A dry run: what is packed is only hashed.
    list=$(mktemp) ;;
  *) mkdir -p "$(dirname "$file")"
     [ -e .deployfile/.gitignore ] || printf '*\n' > .deployfile/.gitignore
     list=$file.list ;;
esac
cd "$folder"
find . ! -name . ! -path ./.git ! -path './.git/*' ! -path ./.deployfile ! -path './.deployfile/*' -print0 > "$list"
[ -s "$list" ] || { rm -f "$list"; refuse "the folder $folder is empty"; }
LC_ALL=C sort -z "$list" > "$list.sorted"
if [ -z "$file" ]; then
  hash=$(tar -c "$@" --no-recursion --null -T "$list.sorted" -f - | { sha256_of /dev/stdin; })
else
  tar -c "$@" --no-recursion --null -T "$list.sorted" -f "$file.part"
  mv "$file.part" "$file"
  hash=$(sha256_of "$file")
fi
rm -f "$list" "$list.sorted"
printf 'packed\t%s\n' "$hash"`

/**
 * Releases from a folder that is built here or in CI: packed once, and the same bytes on every host.
 * @throws Problem `OPTION_INVALID` (usage)
 */
export function directory(options: DirectoryOptions): Source {
  const { path, exclude = [], revision } = parseOptions('directory', schema, options)
  const fileOf = ({ run }: OnHost): string => `${run.root}/.deployfile/source/${run.id}.tar`
  const pack = async (context: OnHost): Promise<Packed> => {
    const { local, run } = context
    const dry = run.dryRun === true
    const purpose = { title: `pack ${path}`, code: 'PACK_FAILED', reads: dry }
    const values = [path, dry ? '' : fileOf(context), ...exclude.map((pattern) => `--exclude=${pattern}`)]
    try {
      const { stdout } = await runSteps(local, purpose, PACK_SCRIPT, values)
      return { file: fileOf(context), sha256: /^packed\t([0-9a-f]{64})$/m.exec(stdout)?.[1] ?? '' }
    } catch (error) {
      if (!isProblem(error) || error.code !== 'PACK_FAILED') throw error
      throw new Problem('check', 'PACK_FAILED', error.message, {
        ...error.details,
        hint: `Is it built? A task that builds it can stand before: { 'deploy:starting': [build] }.`,
      })
    }
  }
  return {
    name: 'directory',
    programs: [],
    async settle(context, wanted) {
      refuseWanted('a directory', wanted)
      const { local, run, log } = context
      if (run.dryRun === true && !(await local.exists(path))) {
        log(`${path} is not there, and would be packed when it is built`)
        return {
          revision: revision ?? '0'.repeat(64),
          branch: path,
          packed: { file: fileOf(context), sha256: '' },
        }
      }
      const packed = await pack(context)
      return { revision: revision ?? packed.sha256, branch: path, packed }
    },
    async bring(context, settled, folder) {
      const packed = packedOf(settled)
      // A run that goes on in another process may find it gone: then the folder must still be what it was.
      if (!(await context.local.exists(packed.file))) {
        const again = await pack(context)
        if (again.sha256 !== packed.sha256) {
          throw new Problem('task', 'SOURCE_CHANGED', `${path} is not what it was when this run began`, {
            hint: 'Start a new deploy.',
          })
        }
      }
      await uploadPacked(context, packed, folder)
    },
    script: (_, folder) => unpackScript(folder, 0),
    async preview({ remote }, settled, _, to) {
      await remote.uploadFile(packedOf(settled).file, `${to}.tar`)
      await remote.sh`mkdir ${to}`
      await remote.sh`tar -x -o -f ${`${to}.tar`} -C ${to}`
    },
    async clear(context) {
      if (context.run.dryRun !== true) await context.local.remove(fileOf(context))
    },
  }
}
