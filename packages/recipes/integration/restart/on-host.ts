import { chmodSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isProblem, type Host } from '@deployfile/core'
import { createShells } from '@deployfile/shell'
import { tempFolder } from '../../../../test/servers/temp.ts'
import type { RestartStrategy } from '../../src/index.ts'

/** A host that is a folder here, with releases and no deploy around them: what a strategy is given. */
export interface RestartHost extends AsyncDisposable {
  readonly path: string
  readonly deployTo: string
  readonly current: string
  /** Makes a release of these files, and points `current` to it. */
  release(name: string, files?: Readonly<Record<string, string>>): void
  /** Puts a program first on the PATH of the host. */
  install(name: string, script: string): void
  /** What the strategy logged, or `CODE: message | hint`. */
  restart(strategy: RestartStrategy): Promise<readonly string[]>
}

export function makeRestartHost(): RestartHost {
  const folder = tempFolder('restart')
  const deployTo = join(folder.path, 'app')
  const current = join(deployTo, 'current')
  const host: Host = {
    ...{
      name: 'web1',
      stage: 'production',
      roles: ['web'],
      transport: 'local',
      address: 'web1',
      primary: false,
    },
    ...{ props: {}, root: folder.path, path: [join(folder.path, 'bin')] },
  }
  mkdirSync(join(deployTo, 'shared'), { recursive: true })
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
  return {
    ...{ path: folder.path, deployTo, current },
    release(name, files = {}) {
      const release = join(deployTo, 'releases', name)
      mkdirSync(release, { recursive: true })
      for (const [file, text] of Object.entries(files)) write(join(release, file), text)
      symlinkSync(release, join(deployTo, 'link'))
      renameSync(join(deployTo, 'link'), current)
    },
    install(name, script) {
      write(join(folder.path, 'bin', name), `#!/bin/sh\n${script}\n`)
      chmodSync(join(folder.path, 'bin', name), 0o755)
    },
    async restart(strategy) {
      const shells = createShells({ root: folder.path })
      const scope = { signal: new AbortController().signal, emit: () => undefined }
      const logs: string[] = []
      try {
        const remote = shells.remote(host, scope)
        await strategy.restart({ host, remote, deployTo, current, log: (line) => logs.push(line) })
        return logs
      } catch (error) {
        if (!isProblem(error)) throw error
        return [...logs, `${error.code}: ${error.message} | ${error.details.hint ?? ''}`]
      } finally {
        await shells.close()
      }
    },
    [Symbol.asyncDispose]: () => folder.remove(),
  }
}
