import { readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of this copy of the package: its code lies in `src`, `dist` or in what was bundled from them. */
export function ownFolder(): string {
  for (let folder = path.dirname(fileURLToPath(import.meta.url)); ; folder = path.dirname(folder)) {
    if (nameAndVersion(folder)?.name === 'deployfile') return folder
    if (folder === path.dirname(folder)) throw new Error('the package deployfile has lost its package.json')
  }
}

export function ownVersion(): string {
  return nameAndVersion(ownFolder())?.version ?? '0.0.0'
}

/** Of the package in a folder; undefined where there is none that can be read. */
export function nameAndVersion(
  folder: string,
): { readonly name?: string; readonly version?: string } | undefined {
  try {
    const manifest: unknown = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'))
    return manifest as { name?: string; version?: string }
  } catch {
    return undefined
  }
}
