import { existsSync, statSync } from 'node:fs'
import path from 'node:path'
import { Problem } from '@deployfile/core'

export const CONFIG_NAMES = ['deploy.config.ts', 'deploy.config.mts', 'deploy.config.js', 'deploy.config.mjs']

/**
 * The config of a folder: its own, or that of the nearest folder above it, up to the root of the repository (the first folder with
 * a `.git`) or of the disk. cosmiconfig looks, but never loads: its TypeScript loader fails on TypeScript 7 and accepts broken syntax.
 * @throws Problem `CONFIG_MISSING` (usage)
 */
export async function findConfig(cwd: string): Promise<string> {
  const near = CONFIG_NAMES.map((name) => path.join(cwd, name)).find((file) => existsSync(file))
  // Nearly every command is typed where the config is.
  if (near !== undefined) return checkFile(near)
  const { cosmiconfig } = await import('cosmiconfig')
  const root = repositoryRoot(cwd)
  // A loader must be there for every ending; the file is loaded by load.ts.
  const unread = (): object => ({})
  const explorer = cosmiconfig('deploy', {
    searchPlaces: [...CONFIG_NAMES, 'package.json'],
    packageProp: 'deployfile',
    searchStrategy: 'global',
    stopDir: root,
    ignoreEmptySearchPlaces: false,
    cache: false,
    loaders: { '.ts': unread, '.mts': unread, '.js': unread, '.mjs': unread },
  })
  const found = await explorer.search(cwd)
  if (found)
    return path.basename(found.filepath) === 'package.json'
      ? namedByPackage(found)
      : checkFile(found.filepath)
  const where = root === cwd ? cwd : `${cwd} and the folders above it up to ${root}`
  throw new Problem('usage', 'CONFIG_MISSING', `no deploy.config.ts found in ${where}`, {
    hint: `Go to the project's folder, name the file with --config path/to/deploy.config.ts (also .mts, .js, .mjs), or write one: deployfile init`,
  })
}

/** A folder that is called deploy.config.ts. */
function checkFile(file: string): string {
  if (!statSync(file).isDirectory()) return file
  throw new Problem('usage', 'CONFIG_IS_DIRECTORY', `${file} is a folder`, {
    hint: 'The config is a file of that name. Name another one with --config.',
  })
}

/** `"deployfile": "ops/deploy.ts"` in package.json. */
function namedByPackage({
  filepath,
  config,
}: {
  readonly filepath: string
  readonly config: unknown
}): string {
  const file = typeof config === 'string' ? path.resolve(path.dirname(filepath), config) : undefined
  if (file !== undefined && existsSync(file)) return checkFile(file)
  const said = file === undefined ? 'is not the path of a config' : `names ${file}, which does not exist`
  throw new Problem('usage', 'CONFIG_MISSING', `"deployfile" in ${filepath} ${said}`, {
    hint: 'Write the path of the config, from the folder of package.json: "deployfile": "ops/deploy.config.ts"',
  })
}

/**
 * The file that `--config` names.
 * @throws Problem `CONFIG_MISSING`, `CONFIG_IS_DIRECTORY` (usage)
 */
export function namedConfig(cwd: string, name: string): string {
  const file = path.resolve(cwd, name)
  const stat = statSync(file, { throwIfNoEntry: false })
  if (!stat) {
    throw new Problem('usage', 'CONFIG_MISSING', `--config names ${file}, which does not exist`, {
      hint: 'Check the path: it starts from --cwd, or from where you are.',
    })
  }
  if (stat.isDirectory()) {
    throw new Problem('usage', 'CONFIG_IS_DIRECTORY', `--config names ${file}, which is a folder`, {
      hint: `Name the file in it: --config ${path.join(name, 'deploy.config.ts')}, or go there with --cwd ${name}`,
    })
  }
  return file
}

function repositoryRoot(from: string): string {
  for (let folder = from; ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, '.git')) || folder === path.dirname(folder)) return folder
  }
}
