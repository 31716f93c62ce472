import { existsSync, statSync } from 'node:fs'
import path from 'node:path'
import { Problem } from '@deployfile/core'
import { cosmiconfig } from 'cosmiconfig'

export const CONFIG_NAMES = ['deploy.config.ts', 'deploy.config.mts', 'deploy.config.js', 'deploy.config.mjs']

/**
 * The config of a folder: its own, or that of the nearest folder above it, up to the root of the repository (the first folder with
 * a `.git`) or of the disk. cosmiconfig looks, but never loads: its TypeScript loader fails on TypeScript 7 and accepts broken syntax.
 * @throws Problem `CONFIG_MISSING` (usage)
 */
export async function findConfig(cwd: string): Promise<string> {
  const root = repositoryRoot(cwd)
  // A loader must be there for every ending; the file is loaded by load.ts.
  const unread = (): object => ({})
  const explorer = cosmiconfig('deploy', {
    searchPlaces: CONFIG_NAMES,
    searchStrategy: 'global',
    stopDir: root,
    ignoreEmptySearchPlaces: false,
    cache: false,
    loaders: { '.ts': unread, '.mts': unread, '.js': unread, '.mjs': unread },
  })
  const found = await explorer.search(cwd)
  if (found) return found.filepath
  const where = root === cwd ? cwd : `${cwd} and the folders above it up to ${root}`
  throw new Problem('usage', 'CONFIG_MISSING', `no deploy.config.ts found in ${where}`, {
    hint: `Go to the project's folder, or name the file: --config path/to/deploy.config.ts (also .mts, .js, .mjs).`,
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
