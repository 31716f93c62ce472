import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { makeGitServer, type GitServer } from '../servers/git.ts'
import { startPostgres, type PostgresServer } from '../servers/postgres.ts'
import { makeSshKey } from '../servers/ssh-keys.ts'
import { startSshd, type SshHost } from '../servers/sshd.ts'
import { tempFolder } from '../servers/temp.ts'
import { start, type Ended, type Running } from './command.ts'
import { deployment, type Deployment } from './deployment.ts'
import { EXAMPLE, makeProject } from './project.ts'

export type StageName = 'dev' | 'staging' | 'production'

/** A machine that is deployed to: a real sshd with a home of its own. */
export interface DeployHost extends SshHost {
  deployment(stage: StageName): Deployment
}

/** A developer's machine, two hosts, a git server and a database server for each stage: all of it on this machine, all of it real. */
export interface World {
  readonly root: string
  /** The project's folder, where commands are typed. */
  readonly project: string
  readonly origin: GitServer
  /** web1 (app, web) and db1 (app, db). Production is both, staging is on web1. */
  readonly hosts: readonly [DeployHost, DeployHost]
  /** Addresses; those of stages whose server was not started lead nowhere. */
  readonly databases: Readonly<Record<StageName, string>>
  /** `npx deployfile …` in the project's folder, without a terminal, until it ends. */
  deployfile(...args: readonly string[]): Promise<Ended>
  /** The same without npx, so that a signal's exit code is the command's own. */
  start(...args: readonly string[]): Running
  /** The environment in which commands are typed. */
  readonly env: NodeJS.ProcessEnv
  /** What every deployment has that a command which fails must leave as it was. */
  state(): unknown
  /** Every file of a commit. */
  filesOf(revision: string): readonly string[]
  /** Changes a file of the developer's for one command: the config, ssh_config, known_hosts. */
  edited<T>(file: string, edit: (text: string) => string, action: () => Promise<T>): Promise<T>
  readonly files: { readonly config: string; readonly sshConfig: string; readonly knownHosts: string }
  stop(): Promise<void>
}

/** Starts everything; `databases` are the stages that get a database server. */
export async function startWorld(options: { readonly databases: readonly StageName[] }): Promise<World> {
  const started: { stop(): Promise<void> }[] = []
  const stop = async (): Promise<void> => {
    for (const part of started.splice(0).reverse()) await part.stop()
  }
  try {
    const folder = tempFolder('e2e')
    started.push({ stop: () => folder.remove() })
    const root = folder.path
    const origin = makeGitServer({ from: EXAMPLE, branches: ['master', 'staging'] })
    started.push({ stop: () => origin.remove() })

    const identity = makeSshKey(join(root, 'identity'))
    const startHost = async (name: string): Promise<DeployHost> => {
      const host = await startSshd({ name, identity })
      started.push(host)
      return {
        ...host,
        deployment: (stage) => deployment(join(host.home, `www/disastrously-${stage}`)),
      }
    }
    const hosts = [await startHost('web1'), await startHost('db1')] as const

    const databases = {} as Record<StageName, string>
    for (const stage of ['dev', 'staging', 'production'] as const) {
      if (options.databases.includes(stage)) {
        const server = await startPostgres()
        started.push(server)
        databases[stage] = await makeDatabase(server, `disastrously_${stage}`)
      } else databases[stage] = `postgresql://disastrously@127.0.0.1:9/disastrously_${stage}`
    }
    // What whoever runs a host puts there once.
    for (const host of hosts) linkDatabase(host.deployment('production'), databases.production)
    linkDatabase(hosts[0].deployment('staging'), databases.staging)

    const project = join(root, 'project')
    makeProject(project, {
      repository: origin.repository,
      databases,
      stages: {
        dev: { hosts: { localhost: { transport: 'local', roles: ['app', 'web', 'db'] } } },
        staging: { hosts: { web1: { roles: ['app', 'web', 'db'] } } },
        production: {
          protected: true,
          hosts: { web1: { roles: ['app', 'web'] }, db1: { roles: ['app', 'db'] } },
        },
      },
    })
    const home = join(root, 'home')
    const files = {
      config: join(project, 'deploy.config.ts'),
      sshConfig: join(home, '.ssh/config'),
      knownHosts: join(home, '.ssh/known_hosts'),
    }
    write(join(home, '.gitconfig'), '[user]\n  name = Developer\n  email = developer@example.com\n')
    write(files.sshConfig, hosts.map((host) => host.sshConfig(files.knownHosts)).join('\n'))
    write(files.knownHosts, hosts.map((host) => `${host.knownHostsLine}\n`).join(''))

    const env = environment(home, files.sshConfig)
    const begin = (file: string, args: readonly string[]): Running => start(file, args, { cwd: project, env })
    return {
      root,
      project,
      origin,
      hosts,
      databases,
      files,
      env,
      deployfile: (...args) => begin('npx', ['deployfile', ...args]).ended,
      start: (...args) => begin(join(project, 'node_modules/.bin/deployfile'), args),
      state: () =>
        (['staging', 'production'] as const).map((stage) =>
          hosts.map((host) => host.deployment(stage).state()),
        ),
      filesOf: (revision) => origin.git('ls-tree', '-r', '--name-only', revision).split('\n'),
      async edited(file, edit, action) {
        const text = readFileSync(file, 'utf8')
        const changed = edit(text)
        if (changed === text) throw new Error(`nothing in ${file} was changed`)
        writeFileSync(file, changed)
        try {
          return await action()
        } finally {
          writeFileSync(file, text)
        }
      },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** A database and a role that owns it and may make others, but no superuser: what an app has on a server that somebody else runs. */
async function makeDatabase(server: PostgresServer, name: string): Promise<string> {
  const roles = await server.psql("select 1 from pg_roles where rolname = 'disastrously'")
  if (roles === '') await server.psql('create role disastrously login createdb')
  await server.psql(`create database ${name} owner disastrously`)
  return `postgresql://disastrously@127.0.0.1:${server.port}/${name}`
}

function linkDatabase({ path }: Deployment, url: string): void {
  write(join(path, 'shared/config/database.env'), `DATABASE_URL=${url}\n`)
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text, { mode: 0o600 })
}

/** A developer's environment: own home, own ssh_config, nothing of who runs the tests. */
function environment(home: string, sshConfig: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    HOME: home,
    USER: 'developer',
    LANG: 'C.UTF-8',
    DEPLOYFILE_SSH_CONFIG: sshConfig,
    // npx must find what is linked here and never look for a package of that name.
    npm_config_offline: 'true',
    npm_config_update_notifier: 'false',
  }
}
