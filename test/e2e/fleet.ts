import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeGitServer, type GitServer } from '../servers/git.ts'
import { makeSshKey } from '../servers/ssh-keys.ts'
import { startSshd, type SshHost } from '../servers/sshd.ts'
import { tempFolder } from '../servers/temp.ts'
import { start, type Ended, type Running } from './command.ts'
import { deployment, type Deployment } from './deployment.ts'

const PACKAGES = fileURLToPath(new URL('../../packages', import.meta.url))

export interface FleetOptions {
  /** Names of the hosts, in the order in which the stage lists them. */
  readonly hosts: readonly string[]
  /** Further options of deploy(), as they would be typed: `restart: 'true', keepReleases: 3`. */
  readonly deploy?: string
  /** A folder, beside the project, that goes first in every host's PATH. */
  readonly path?: string
  /** What is imported from 'deployfile/recipes' besides deploy. */
  readonly imports?: string
  /** Where a host keeps the application, below its home. Default `app`. */
  readonly deployTo?: string
}

export interface FleetHost extends SshHost {
  readonly app: Deployment
}

/** One application on several hosts, each a real sshd with a home of its own, from a git repository on this machine. */
export interface Fleet extends AsyncDisposable {
  /** The folder that holds what is not a host's own. */
  readonly root: string
  readonly project: string
  readonly origin: GitServer
  readonly hosts: readonly FleetHost[]
  readonly env: NodeJS.ProcessEnv
  /** The developer's. */
  readonly sshConfig: string
  /** `deployfile …` without npx, on the only stage: the process that is started is the one that does the work. */
  start(...args: readonly string[]): Running
  run(...args: readonly string[]): Promise<Ended>
  /** Writes the config anew, with other options of deploy(). */
  configure(deploy: string): void
}

export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const started: { stop(): Promise<void> }[] = []
  const stop = async (): Promise<void> => {
    for (const part of started.splice(0).reverse()) await part.stop()
  }
  try {
    const folder = tempFolder('fleet')
    started.push({ stop: () => folder.remove() })
    const root = folder.path
    const origin = makeGitServer()
    started.push({ stop: () => origin.remove() })
    origin.commit({ 'app.txt': 'first\n', 'config/settings.yml': 'tracked: no\n' })

    const identity = makeSshKey(join(root, 'identity'))
    const { hosts: names, deployTo = 'app' } = options
    const hosts = await Promise.all(
      names.map(async (name): Promise<FleetHost> => {
        const host = await startSshd({ name, identity })
        started.push(host)
        return { ...host, app: deployment(join(host.home, deployTo)) }
      }),
    )
    const [project, home] = [join(root, 'project'), join(root, 'home')]
    const path = options.path === undefined ? '' : `path: ['${join(root, options.path)}']`
    const configure = (deploy: string): void => {
      write(
        join(project, 'deploy.config.mjs'),
        `import { defineConfig } from 'deployfile'
import { deploy${options.imports === undefined ? '' : `, ${options.imports}`} } from 'deployfile/recipes'
const app = deploy({
  application: 'shop', repository: ${JSON.stringify(origin.repository)}, branch: 'master', deployTo: '${deployTo}',
  linkedDirs: ['log', 'tmp/pids'], ${deploy}
})
const hosts = {
${names.map((name) => `  '${name}': { roles: ['app', 'db'], ${path} },`).join('\n')}
}
export default defineConfig({ stages: { production: { hosts } }, defaultStage: 'production', use: [app] })
`,
      )
    }
    configure(options.deploy ?? '')
    mkdirSync(join(project, 'node_modules'), { recursive: true })
    symlinkSync(join(PACKAGES, 'deployfile'), join(project, 'node_modules/deployfile'))
    const [sshConfig, knownHosts] = [join(home, '.ssh/config'), join(home, '.ssh/known_hosts')]
    write(join(home, '.gitconfig'), '[user]\n  name = Developer\n  email = developer@example.com\n')
    write(sshConfig, hosts.map((host) => host.sshConfig(knownHosts)).join('\n'))
    write(knownHosts, hosts.map((host) => `${host.knownHostsLine}\n`).join(''))
    const env = {
      ...{ PATH: process.env['PATH'], HOME: home, USER: 'developer', LANG: 'C.UTF-8' },
      DEPLOYFILE_SSH_CONFIG: sshConfig,
    }
    const begin = (...args: readonly string[]): Running =>
      start(process.execPath, [join(PACKAGES, 'deployfile/bin/deployfile.js'), ...args], {
        ...{ cwd: project, env },
      })
    return {
      ...{ root, project, origin, hosts, env, sshConfig, configure },
      start: begin,
      run: (...args) => begin(...args).ended,
      [Symbol.asyncDispose]: stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}
