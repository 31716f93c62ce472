import { createRequire } from 'node:module'
import path from 'node:path'
import { nameAndVersion } from '../version.ts'

/** Modules that a config gets from this very copy of the package, wherever the project's own may be; loaded when they are asked for. */
export type OwnModules = Readonly<Record<string, () => Promise<object>>>

export async function ownModules(file: string): Promise<OwnModules> {
  const { zod, zodVersion } = await import('./own-zod.ts')
  return {
    deployfile: () => import('../index.ts'),
    'deployfile/recipes': () => import('../recipes.ts'),
    // Loading the project's zod is half the time of `-T`; of the same version, ours is the same, and is loaded already.
    ...(installedZod(file) === zodVersion && { zod: () => Promise.resolve(withLocales(zod, file)) }),
  }
}

/** What is published of us has no messages in other languages, which are half of zod: they come from the project's. */
function withLocales(zod: object, file: string): object {
  return Object.defineProperty({ ...zod }, 'locales', {
    enumerable: true,
    get: () => (createRequire(file)('zod') as { locales: unknown }).locales,
  })
}

function installedZod(file: string): string | undefined {
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    const found = nameAndVersion(path.join(folder, 'node_modules/zod'))
    if (found) return found.version
    if (folder === path.dirname(folder)) return undefined
  }
}
