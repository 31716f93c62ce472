import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { ownVersion } from '../version.ts'

/** A module of the project as jiti rewrote it: the body of an async function that imports by `jitiImport('…')`. */
export interface CompiledModule {
  /** sha256 of the source. */
  readonly hash: string
  readonly code: string
  /** What each specifier of it means: the path of another compiled module, or the URL of what Node itself imports. */
  readonly imports: Readonly<Record<string, string>>
}

/** A config with all that it imports of the project's own, ready to be run without a compiler. */
export interface Compiled {
  readonly made: string
  readonly modules: Readonly<Record<string, CompiledModule>>
  /** What decides where a specifier leads to, with its state then. */
  readonly stamps: Readonly<Record<string, string>>
}

/** The compiled form of a config, when it was made from exactly what is there now. */
export function readCompiled(file: string): Compiled | undefined {
  const kept = compiledFile(file)
  if (kept === undefined) return undefined
  try {
    const compiled = JSON.parse(readFileSync(kept, 'utf8')) as Compiled
    return isFresh(compiled) && compiled.modules[file] ? compiled : undefined
  } catch {
    // None yet, or one that was cut off: it is made anew.
    return undefined
  }
}

/** Keeps it. That it cannot be kept (a folder that is read-only) only costs time at the next command. */
export function writeCompiled(file: string, modules: Compiled['modules']): void {
  const kept = compiledFile(file)
  if (kept === undefined) return
  const compiled: Compiled = { made: madeBy(), modules, stamps: stampsOf(Object.keys(modules)) }
  try {
    mkdirSync(path.dirname(kept), { recursive: true })
    // Two commands may do this at once; each reads a whole file.
    const draft = `${kept}.${String(process.pid)}`
    writeFileSync(draft, JSON.stringify(compiled))
    renameSync(draft, kept)
  } catch {
    // See above.
  }
}

export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** Compiled configs are kept with the project. Never in the shared temp folder, where another user could plant one. */
function compiledFile(file: string): string | undefined {
  for (let folder = path.dirname(file); folder !== path.dirname(folder); folder = path.dirname(folder)) {
    const packages = path.join(folder, 'node_modules')
    if (existsSync(packages))
      return path.join(packages, '.cache/deployfile', `${hashOf(file).slice(0, 24)}.json`)
  }
  return undefined
}

function isFresh({ made, modules, stamps }: Compiled): boolean {
  if (made !== madeBy()) return false
  if (Object.entries(stamps).some(([file, stamp]) => stampOf(file) !== stamp)) return false
  return Object.entries(modules).every(
    ([file, { hash, imports }]) =>
      hashOf(readFileSync(file, 'utf8')) === hash && Object.values(imports).every(isThere),
  )
}

function isThere(target: string): boolean {
  return target.startsWith('file://') ? existsSync(fileURLToPath(target)) : true
}

function madeBy(): string {
  return `deployfile ${ownVersion()}, Node ${process.version}`
}

/** The packages that are installed, and what tells how names of modules are read. */
function stampsOf(files: readonly string[]): Record<string, string> {
  const names = ['package.json', 'tsconfig.json', 'node_modules/.package-lock.json']
  const folders = new Set<string>()
  for (const file of files) {
    for (let folder = path.dirname(file); !folders.has(folder); folder = path.dirname(folder))
      folders.add(folder)
  }
  const places = [...folders].flatMap((folder) => names.map((name) => path.join(folder, name)))
  return Object.fromEntries(places.map((place) => [place, stampOf(place)]))
}

function stampOf(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false })
  return stat ? `${String(stat.size)} ${String(stat.mtimeMs)}` : 'none'
}
