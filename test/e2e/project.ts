import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { StageSpec } from 'deployfile'

export const EXAMPLE = fileURLToPath(new URL('../../examples/disastrously-rails', import.meta.url))

const PACKAGES = fileURLToPath(new URL('../../packages', import.meta.url))

export interface ProjectParts {
  readonly repository: string
  /** What the config has as `stages` and as `databases`. */
  readonly stages: Readonly<Record<string, StageSpec>>
  readonly databases: Readonly<Record<string, string>>
}

/** The example as git knows it, without what a developer may have beside it. */
export function copyExample(to: string): void {
  const ignored = new Set(['node_modules', '.deployfile', 'log', 'tmp', 'database.env'])
  cpSync(EXAMPLE, to, { recursive: true, filter: (path) => !ignored.has(basename(path)) })
}

/** The folder of a project that is deployed: a checkout of the app, its config, and `deployfile` among its dependencies. */
export function makeProject(folder: string, parts: ProjectParts): void {
  copyExample(folder)
  writeFileSync(join(folder, 'deploy.config.ts'), configText(parts))
  // As npm would have it, but linked: what is run is what `npm run build` made.
  mkdirSync(join(folder, 'node_modules/.bin'), { recursive: true })
  symlinkSync(join(PACKAGES, 'deployfile'), join(folder, 'node_modules/deployfile'))
  symlinkSync('../deployfile/bin/deployfile.js', join(folder, 'node_modules/.bin/deployfile'))
}

/**
 * The example's own config with the hosts, the repository and the databases of a test. It is edited, not written anew, so that what
 * is tested is what the example shows.
 * @throws Error when the example no longer has what is replaced
 */
function configText({ repository, stages, databases }: ProjectParts): string {
  const json = (value: unknown): string => JSON.stringify(value, null, 2)
  const changes: readonly (readonly [RegExp, string])[] = [
    [/repository: '[^']*'/, `repository: ${json(repository)}`],
    // Below each login's home, where the stages that share a host keep apart.
    [/deployTo: '[^']*'/, 'deployTo: (stage) => `www/disastrously-${stage.name}`'],
    [/databases: \{[^}]*\}/, `databases: ${json(databases)}`],
    [/stages: \{.*?\n {2}\},\n/s, `stages: ${json(stages)},\n`],
  ]
  const example = readFileSync(join(EXAMPLE, 'deploy.config.ts'), 'utf8')
  return changes.reduce((text, [pattern, replacement]) => replaceOnce(text, pattern, replacement), example)
}

function replaceOnce(text: string, pattern: RegExp, replacement: string): string {
  if (!pattern.test(text))
    throw new Error(`the example's deploy.config.ts has nothing like ${String(pattern)}`)
  return text.replace(pattern, () => replacement)
}
