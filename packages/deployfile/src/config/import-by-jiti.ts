import { createJiti, type TransformOptions } from 'jiti'
import { builtinModules } from 'node:module'
import { fileURLToPath } from 'node:url'
import { hashOf, writeCompiled, type CompiledModule } from './compiled.ts'
import type { ImportedModule, ImportFailure } from './imported.ts'
import { ownModules, type OwnModules } from './own-modules.ts'

/** Imports a config by jiti, and keeps what jiti made of it for the next command. */
export async function importByJiti(file: string): Promise<ImportedModule | ImportFailure> {
  const own = await ownModules(file)
  // Look at the real exports: interop would hide a missing default.
  const options = { tsconfigPaths: true, interopDefault: false, fsCache: false }
  const compiler = createJiti(import.meta.url, options)
  const seen: TransformOptions[] = []
  const codes = new Map<string, string>()
  const jiti = createJiti(import.meta.url, {
    ...options,
    virtualModules: await loaded(own),
    transform(source) {
      const code = compiler.transform(source)
      seen.push(source)
      codes.set(source.filename ?? '', code)
      return { code }
    },
  })
  try {
    const exports = await jiti.import<Record<string, unknown>>(file)
    const modules = compiledModules(seen, codes, own, (specifier, from) =>
      jiti.esmResolve(specifier, { parentURL: from, try: true }),
    )
    if (modules) writeCompiled(file, modules)
    return { exports, exactColumns: false }
  } catch (thrown) {
    return { thrown, exactColumns: false }
  }
}

async function loaded(own: OwnModules): Promise<Record<string, object>> {
  const entries = Object.entries(own).map(async ([name, load]) => [name, await load()] as const)
  return Object.fromEntries(await Promise.all(entries))
}

const IMPORT = /\bjitiImport\(\s*(['"])([^'"\\]+)\1\s*\)/g
// Only jiti knows what these find.
const BY_JITI = /\brequire\s*\(|\brequire\.resolve|\bjitiESMResolve\b/

type Resolve = (specifier: string, from: string) => string | undefined

/** Undefined where something is imported in a way that cannot be done without jiti: then every command starts with it. */
function compiledModules(
  seen: readonly TransformOptions[],
  codes: ReadonlyMap<string, string>,
  own: OwnModules,
  resolve: Resolve,
): Record<string, CompiledModule> | undefined {
  const modules: Record<string, CompiledModule> = {}
  for (const { filename = '', source, async } of seen) {
    const code = codes.get(filename) ?? ''
    const specifiers = [...code.matchAll(IMPORT)].map(([, , specifier = '']) => specifier)
    const all = code.split('jitiImport').length - 1
    if (async !== true || BY_JITI.test(code) || specifiers.length !== all) return undefined
    const imports: Record<string, string> = {}
    for (const specifier of specifiers) {
      if (own[specifier]) continue
      const target = targetOf(specifier, filename, codes, resolve)
      if (target === undefined) return undefined
      imports[specifier] = target
    }
    modules[filename] = { hash: hashOf(source), code, imports }
  }
  return hasCircle(modules) ? undefined : modules
}

function targetOf(
  specifier: string,
  from: string,
  codes: ReadonlyMap<string, string>,
  resolve: Resolve,
): string | undefined {
  if (specifier.startsWith('node:')) return specifier
  if (builtinModules.includes(specifier)) return `node:${specifier}`
  const url = resolve(specifier, from)
  if (url === undefined) return undefined
  const path = url.startsWith('file://') ? fileURLToPath(url) : url
  if (codes.has(path)) return path
  // Data and the like: Node's own import wants to be told what it is.
  return /\.[cm]?js$/.test(path) && url.startsWith('file://') ? url : undefined
}

/** Two modules that import each other would wait for each other. */
function hasCircle(modules: Readonly<Record<string, CompiledModule>>): boolean {
  const over = new Set<string>()
  const visit = (file: string, above: ReadonlySet<string>): boolean => {
    if (above.has(file)) return true
    if (over.has(file)) return false
    const below = new Set([...above, file])
    const circle = Object.values(modules[file]?.imports ?? {}).some((to) => visit(to, below))
    over.add(file)
    return circle
  }
  return Object.keys(modules).some((file) => visit(file, new Set()))
}
