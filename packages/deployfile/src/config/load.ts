import { isConfig, Problem, type Config } from '@deployfile/core'
import { importModule } from './import-module.ts'

export interface LoadedConfig {
  readonly config: Config
  readonly file: string
  readonly exactColumns: boolean
}

/**
 * Runs a config file, once, and gives what it exports by default.
 * @throws Problem (usage) `CONFIG_THREW`, `CONFIG_SYNTAX`, `CONFIG_IMPORT`, `CONFIG_NO_EXPORT`
 */
export async function loadConfig(file: string): Promise<LoadedConfig> {
  const imported = await importModule(file)
  if ('thrown' in imported) {
    const { explainImport } = await import('./explain.ts')
    throw explainImport(file, imported)
  }
  const value = imported.exports['default']
  if (isConfig(value)) return { config: value, file, exactColumns: imported.exactColumns }
  throw new Problem('usage', 'CONFIG_NO_EXPORT', `${file} ${mistake(value)}`, {
    hint:
      value instanceof Promise
        ? 'Wait for it in the file itself: export default await …'
        : 'End it with: export default defineConfig({ stages: { … } })',
  })
}

function mistake(value: unknown): string {
  if (value === undefined) return 'has no default export'
  if (value instanceof Promise) {
    // Nobody will look at how it ends; without this a rejection would end the process with a stack trace.
    value.catch(() => undefined)
    return 'exports a promise by default'
  }
  const kind = value === null ? 'null' : Array.isArray(value) ? 'an array' : `a value of type ${typeof value}`
  return `exports ${kind} by default, not what defineConfig returns`
}
