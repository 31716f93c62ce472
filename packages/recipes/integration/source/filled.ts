import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { isProblem, type Host } from '@deployfile/core'
import { createShells } from '@deployfile/shell'
import { tempFolder } from '../../../../test/servers/temp.ts'
import type { OnHost } from '../../src/deploy/layout.ts'
import { stageOptions } from '../../src/deploy/stage-options.ts'
import type { DeployOptions } from '../../src/deploy/options.ts'
import { buildRelease } from '../../src/deploy/release.ts'

/** A host that is a folder here: releases are built on it, and nothing else of a deploy is done. */
export interface BuildHost extends AsyncDisposable {
  readonly path: string
  readonly deployTo: string
  at(path: string): string
  /** Builds the next release: its files with what they hold, or `CODE: message | hint`. */
  build(options: object, wanted?: string): Promise<Readonly<Record<string, string>> | string>
  /** What `.deployfile` holds. */
  own(): readonly string[]
}

export function makeBuildHost(): BuildHost {
  const folder = tempFolder('source')
  const root = folder.path
  const deployTo = join(root, 'app')
  const host: Host = {
    ...{
      name: 'web1',
      stage: 'production',
      roles: ['web'],
      transport: 'local',
      address: 'web1',
      primary: false,
    },
    ...{ props: {}, root },
  }
  mkdirSync(deployTo)
  let releases = 0
  const at = (path: string): string => join(deployTo, path)
  return {
    ...{ path: root, deployTo, at },
    async build(options, wanted) {
      const shells = createShells({ root })
      const scope = { signal: new AbortController().signal, emit: () => undefined }
      const name = String(20260101000000 + ++releases)
      const run = { id: `run-${String(releases)}`, startedAt: new Date(), user: 'tester', root }
      const context = {
        host,
        remote: shells.remote(host, scope),
        local: shells.local(scope),
        run,
      } as unknown as OnHost
      try {
        const settled = stageOptions(
          { application: 'shop', deployTo: 'app', ...options } as DeployOptions,
          { name: 'production', protected: false },
          host,
        )
        const found = { name, ...(await settled.source.settle(context, wanted)) }
        await buildRelease(context, settled, found, { releases: [], hidden: [], old: [], building: [] }, true)
        await settled.source.clear?.(context)
        return filesOf(at(`releases/${name}`))
      } catch (error) {
        if (!isProblem(error)) throw error
        return `${error.code}: ${error.message}${error.details.hint === undefined ? '' : ` | ${error.details.hint}`}`
      } finally {
        rmSync(at('releases'), { recursive: true, force: true })
        await shells.close()
      }
    },
    own: () => (existsSync(at('.deployfile')) ? readdirSync(at('.deployfile')).sort() : []),
    [Symbol.asyncDispose]: () => folder.remove(),
  }
}

function filesOf(folder: string): Readonly<Record<string, string>> {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true })
  return Object.fromEntries(
    entries
      .filter((entry) => entry.isFile() && entry.name !== 'REVISION_TIME')
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [relative(folder, path), readFileSync(path, 'utf8')] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )
}
