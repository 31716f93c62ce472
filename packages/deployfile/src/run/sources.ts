import { createHash } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import type { Catalog } from '@deployfile/core'

/**
 * The files of the user's that a config was read from, relative to `root`, with the sha256 of each: the config itself, where tasks are
 * declared, and what these import by a relative path. Packages are left out. For a warning, so a file that is found in no such way (an
 * import by a computed name) is just not known.
 */
export function sourcesOf(
  catalog: Catalog,
  config: string | undefined,
  root: string,
): Readonly<Record<string, string>> {
  const declared = [...catalog.tasks.values()].flatMap((task) => task['~task'].location?.file ?? [])
  const queue = [...new Set([...(config === undefined ? [] : [config]), ...declared])]
  const found = new Map<string, string>()
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (found.has(file) || file.includes(`${path.sep}node_modules${path.sep}`)) continue
    const text = readText(file)
    if (text === undefined) continue
    found.set(file, createHash('sha256').update(text).digest('hex'))
    queue.push(...importsOf(file, text))
  }
  const sources = [...found].map(([file, hash]): [string, string] => [path.relative(root, file), hash])
  return Object.fromEntries(sources.sort(([a], [b]) => (a < b ? -1 : 1)))
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

const IMPORT = /(?:\bfrom|\bimport|\bimport\s*\(|\brequire\s*\()\s*(['"])(\.{1,2}\/[^'"]+)\1/g

function importsOf(file: string, text: string): string[] {
  if (!/\.[cm]?[jt]s$/.test(file)) return []
  return [...text.matchAll(IMPORT)].flatMap(([, , specifier = '']) => {
    const target = path.resolve(path.dirname(file), specifier)
    const candidates = [
      target,
      ...['.ts', '.mts', '.js', '.mjs'].map((ending) => target + ending),
      target.replace(/\.([cm]?)js$/, '.$1ts'),
      path.join(target, 'index.ts'),
      path.join(target, 'index.js'),
    ]
    return candidates.find((one) => existsSync(one) && statSync(one).isFile()) ?? []
  })
}
