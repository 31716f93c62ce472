import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import {
  defineConfig,
  execute,
  loadCatalog,
  namespace,
  resolvePlan,
  type AnyTask,
  type Question,
  type RunEvent,
  type RunOutcome,
} from '@deployfile/core'
import { createShells } from '@deployfile/shell'
import { makeGitServer, type GitServer } from '../../../test/servers/git.ts'
import { tempFolder } from '../../../test/servers/temp.ts'
import { deploy, type DeployOptions, type DeployTasks } from '../src/index.ts'

export const REQUIRED_FILE = 'config/database.yml'

/** A stage of two hosts that are folders here, and a git repository: deployments without a network. */
export interface Site extends AsyncDisposable {
  /** The folder that holds everything. */
  readonly path: string
  readonly git: GitServer
  readonly web1: HostFolder
  readonly db1: HostFolder
  run(task: string | readonly string[], change?: Change): Promise<Ran>
}

export interface Change {
  readonly options?: Partial<DeployOptions>
  readonly hooks?: (tasks: DeployTasks) => Readonly<Record<string, readonly AnyTask[]>>
  readonly tasks?: readonly AnyTask[]
  readonly onEvent?: (event: RunEvent, stop: () => void) => void
  readonly user?: string
  readonly ask?: (question: Question) => Promise<void>
  readonly inputs?: Readonly<Record<string, string>>
  readonly isProtected?: boolean
  /** The recipe is in a namespace of this name. */
  readonly prefix?: string
  /** Milliseconds. */
  readonly lockWait?: number
}

export interface Ran extends RunOutcome {
  /** `kind CODE: message`, one for each failure. */
  readonly problems: readonly string[]
  readonly hints: readonly string[]
  /** `node: message` for every line that a task logged. */
  readonly logs: readonly string[]
}

/** What stands below deploy_to on one host. */
export interface HostFolder {
  readonly deployTo: string
  at(path: string): string
  read(path: string): string
  write(path: string, content?: string): void
  has(path: string): boolean
  /** Everything in a folder, dot names included. */
  list(path: string): readonly string[]
  link(path: string): string
  /** The name of the release that `current` points to. */
  live(): string
  ledger(): readonly string[]
  /** Is there a deploy lock? */
  locked(): boolean
}

export function makeSite(): Site {
  const folder = tempFolder('deploy')
  const git = makeGitServer()
  git.commit({ 'app.txt': 'one', 'log/tracked.log': 'from git', 'bin/start': '#!/bin/sh\n' })
  const hosts = {
    web1: hostFolder(join(folder.path, 'web1/app')),
    db1: hostFolder(join(folder.path, 'db1/app')),
  }
  for (const host of Object.values(hosts)) host.write(`shared/${REQUIRED_FILE}`, 'secret')
  let runs = 0
  return {
    path: folder.path,
    git,
    ...hosts,
    run: (task, change = {}) =>
      run(folder.path, git, task, change, `20261123T120000000Z-${String(++runs).padStart(4, '0')}`),
    [Symbol.asyncDispose]: async () => {
      await git.remove()
      await folder.remove()
    },
  }
}

async function run(
  root: string,
  git: GitServer,
  name: string | readonly string[],
  change: Change,
  id: string,
): Promise<Ran> {
  const app = deploy({
    application: 'shop',
    repository: git.repository,
    branch: 'master',
    deployTo: 'app',
    linkedFiles: [REQUIRED_FILE],
    linkedDirs: ['log', 'tmp/pids'],
    migrate: `cat REVISION >> ${root}/migrations`,
    restart: `cat REVISION >> ../../../restarts`,
    ...change.options,
  })
  const catalog = loadCatalog(
    defineConfig({
      stages: {
        production: {
          protected: change.isProtected ?? false,
          hosts: {
            web1: { transport: 'local', root: 'web1', roles: ['web'] },
            db1: { transport: 'local', root: 'db1', roles: ['db'] },
          },
        },
      },
      use: [change.prefix === undefined ? app : namespace(change.prefix, app)],
      tasks: change.tasks ?? [],
      before: change.hooks?.(app.tasks) ?? {},
    }),
  )
  const shells = createShells({ root })
  const stopping = new AbortController()
  const stop = (): void => stopping.abort(new Error('SIGINT'))
  const logs: string[] = []
  const { user = 'tester', lockWait = 0, onEvent } = change
  const outcome = await execute(
    resolvePlan(catalog, { stage: 'production', tasks: [name].flat(), inputs: change.inputs ?? {} }),
    {
      catalog,
      shells,
      run: { id, startedAt: new Date(), user, root, lockWait },
      ask: change.ask ?? (() => Promise.resolve()),
      signal: stopping.signal,
      onEvent(event) {
        if (event.type === 'node.log')
          logs.push(`${event.node.replace('@production/', '@')}: ${event.message}`)
        onEvent?.(event, stop)
      },
    },
  )
  await shells.close()
  // Hosts run at the same time: sorted by their messages, so that tests can count on an order.
  const failures = outcome.failures
    .map(({ problem }) => problem)
    .sort((a, b) => (a.message < b.message ? -1 : 1))
  const problems = failures.map(({ kind, code, message }) => `${kind} ${code}: ${message}`)
  return { ...outcome, problems, hints: failures.map(({ hint }) => hint ?? ''), logs }
}

function hostFolder(deployTo: string): HostFolder {
  const at = (path: string): string => join(deployTo, path)
  const present = (path: string): boolean => lstatSync(at(path), { throwIfNoEntry: false }) !== undefined
  return {
    deployTo,
    at,
    read: (path) => readFileSync(at(path), 'utf8'),
    write(path, content = '') {
      mkdirSync(dirname(at(path)), { recursive: true })
      writeFileSync(at(path), content)
    },
    has: present,
    list: (path) => (existsSync(at(path)) ? readdirSync(at(path)).sort() : []),
    link: (path) => readlinkSync(at(path)),
    live: () => (present('current') ? (readlinkSync(at('current')).split('/').at(-1) ?? '') : ''),
    locked: () => present('.deployfile/lock'),
    ledger() {
      const lines = present('.deployfile/releases.jsonl')
        ? readFileSync(at('.deployfile/releases.jsonl'), 'utf8')
        : ''
      const entries = lines.split('\n').filter((line) => line !== '')
      return entries.map((line) => {
        const { release, state, restart } = JSON.parse(line) as Record<string, unknown>
        return `${String(release)} ${restart === true ? 'restart' : String(state)}`
      })
    },
  }
}
