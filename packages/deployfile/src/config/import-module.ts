import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { readCompiled } from './compiled.ts'
import { codeOf, type ImportedModule, type ImportFailure } from './imported.ts'
import { runCompiled } from './run-compiled.ts'

const RAN = Symbol.for('deployfile.config.ran')
const marks = globalThis as unknown as { [RAN]?: boolean }

/**
 * Imports a config module: natively where Node reads it without a warning, else by jiti.
 * jiti takes over only from an import that failed before any line of user code ran, so a config never runs twice.
 */
export async function importModule(file: string): Promise<ImportedModule | ImportFailure> {
  const kept = await importKept(file)
  if (kept) return kept
  if (!isNative(file)) return importCompiled(file)
  marks[RAN] = false
  try {
    return { exports: await importMarked(file), exactColumns: true }
  } catch (thrown) {
    if (hasBegun() || !isForJiti(file, codeOf(thrown) ?? '')) return { thrown, exactColumns: true }
    const second = await importCompiled(file)
    // A package that neither finds is best explained by the first, native error.
    const lost = 'thrown' in second && codeOf(second.thrown) === 'MODULE_NOT_FOUND'
    return lost && codeOf(thrown) === 'ERR_MODULE_NOT_FOUND' ? { thrown, exactColumns: true } : second
  }
}

/** JavaScript means the same everywhere, but it may import TypeScript, which not every Node reads. */
function isForJiti(file: string, code: string): boolean {
  return /\.m?ts$/.test(file) ? RETRIED.has(code) : code === 'ERR_UNKNOWN_FILE_EXTENSION'
}

function hasBegun(): boolean {
  return marks[RAN] === true
}

/** What jiti can do and Node cannot: enums, `./hosts` without an ending, folders, paths of a tsconfig. */
const RETRIED = new Set([
  'ERR_UNKNOWN_FILE_EXTENSION',
  'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX',
  'ERR_MODULE_NOT_FOUND',
  'ERR_UNSUPPORTED_DIR_IMPORT',
  'ERR_PACKAGE_PATH_NOT_EXPORTED',
  'ERR_PACKAGE_IMPORT_NOT_DEFINED',
])

/** `.ts` and `.js` count as modules only below `"type": "module"`: elsewhere Node warns, or takes `import` for a mistake. */
function isNative(file: string): boolean {
  if (/ts$/.test(file) && !stripsTypes()) return false
  return /\.m[tj]s$/.test(file) || packageType(file) === 'module'
}

function packageType(file: string): unknown {
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    const manifest = path.join(folder, 'package.json')
    if (existsSync(manifest)) return readType(manifest)
    if (folder === path.dirname(folder)) return undefined
  }
}

function readType(manifest: string): unknown {
  try {
    return (JSON.parse(readFileSync(manifest, 'utf8')) as { type?: unknown } | null)?.type
  } catch {
    // A broken package.json is for npm to complain about.
    return undefined
  }
}

function stripsTypes(): boolean {
  const { typescript } = process.features as { typescript?: false | 'strip' | 'transform' }
  return Boolean(typescript)
}

/**
 * All of a static module graph is linked before any of it is evaluated. So a first module that leaves a mark tells whether
 * evaluation began: without the mark, no user code has run, whatever was thrown.
 */
async function importMarked(file: string): Promise<Record<string, unknown>> {
  const mark = `data:text/javascript,globalThis[Symbol.for('deployfile.config.ran')]=true`
  const entry = `import ${JSON.stringify(mark)};import * as config from ${JSON.stringify(pathToFileURL(file).href)};export{config}`
  // The time makes it a module of its own: one process (a test, a watcher) may load a file that failed before again.
  const url = `data:text/javascript,${encodeURIComponent(`${entry}//${Date.now()}`)}`
  const { config } = (await import(url)) as { config: Record<string, unknown> }
  return config
}

async function importCompiled(file: string): Promise<ImportedModule | ImportFailure> {
  const { importByJiti } = await import('./import-by-jiti.ts')
  return importByJiti(file)
}

/** What an earlier command compiled, when nothing has changed since: neither a compiler nor its caches are loaded then. */
async function importKept(file: string): Promise<ImportedModule | ImportFailure | undefined> {
  const compiled = readCompiled(file)
  if (!compiled) return undefined
  const { ownModules } = await import('./own-modules.ts')
  try {
    return { exports: await runCompiled(compiled, file, await ownModules(file)), exactColumns: false }
  } catch (thrown) {
    return { thrown, exactColumns: false }
  }
}
