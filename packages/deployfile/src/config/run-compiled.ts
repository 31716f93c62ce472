import { createRequire } from 'node:module'
import path from 'node:path'
import { runInThisContext } from 'node:vm'
import type { Compiled } from './compiled.ts'
import type { OwnModules } from './own-modules.ts'

type Exports = Record<string, unknown>

type Body = (
  exports: Exports,
  require: NodeJS.Require,
  module: { exports: Exports },
  filename: string,
  dirname: string,
  jitiImport: (specifier: string) => Promise<unknown>,
) => Promise<void>

/** Runs a compiled config, and each of its modules once. Lines of stacks are those of the sources; columns are not. */
export async function runCompiled({ modules }: Compiled, file: string, own: OwnModules): Promise<Exports> {
  const begun = new Map<string, Promise<Exports>>()
  const load = (from: string): Promise<Exports> => {
    const known = begun.get(from)
    if (known) return known
    const loading = runModule(from)
    begun.set(from, loading)
    return loading
  }
  const runModule = async (from: string): Promise<Exports> => {
    const { code = '', imports = {} } = modules[from] ?? {}
    const names = 'exports, require, module, __filename, __dirname, jitiImport'
    const body = runInThisContext(`(async function (${names}) {${code}\n})`, { filename: from }) as Body
    const module = { exports: {} as Exports }
    await body(module.exports, createRequire(from), module, from, path.dirname(from), (specifier) => {
      const mine = own[specifier]
      if (mine) return mine()
      const target = imports[specifier] ?? specifier
      return modules[target] ? load(target) : import(target)
    })
    return module.exports
  }
  return load(file)
}
