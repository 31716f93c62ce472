import { defineConfig, isProblem, loadCatalog } from '@deployfile/core'
import { hostsOf, withoutPassword } from './init-config.ts'

/** What `init` asks for, and takes as `key=value`. */
export const KEYS = ['application', 'repository', 'branch', 'host', 'deploy_to', 'database'] as const
export type Key = (typeof KEYS)[number]

/** Says why an answer cannot stand in a config; undefined where it can. */
export type CheckAnswer = (key: Key, answer: string) => string | undefined

const GOOD = { application: 'app', repository: 'file:///app.git', branch: 'main', deployTo: '/app' }

/** What reads a config is asked itself, so that what `init` writes is never refused afterwards. */
export async function loadCheck(): Promise<CheckAnswer> {
  const { deploy, postgres } = await import('@deployfile/recipes')
  const uses: Readonly<Record<Key, (answer: string) => unknown>> = {
    application: (application) => deploy({ ...GOOD, application }),
    repository: (repository) => deploy({ ...GOOD, repository }),
    branch: (branch) => deploy({ ...GOOD, branch }),
    deploy_to: (deployTo) => deploy({ ...GOOD, deployTo }),
    host: (text) => {
      const hosts = Object.fromEntries(hostsOf(text).map(({ name, ...host }) => [name, host]))
      return loadCatalog(defineConfig({ stages: { production: { hosts } } }))
    },
    database: (url) => postgres({ databases: { production: withoutPassword(url) }, from: 'production' }),
  }
  return (key, answer) => {
    try {
      uses[key](answer)
      return undefined
    } catch (thrown) {
      if (!isProblem(thrown)) throw thrown
      return thrown.message.replace(/^the option '.*?' of \w+\(\) is wrong: /, '')
    }
  }
}
