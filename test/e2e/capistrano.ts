import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { requireService } from '../servers/service.ts'
import { start, type Ended } from './command.ts'
import type { Fleet } from './fleet.ts'

/** Debian's Capistrano 3 with a project of its own that deploys the same application to the same folder of a fleet's first host. */
export interface Capistrano {
  /** `cap production <task…>`; with FAIL in its environment, a deploy fails before it publishes. */
  run(env: Readonly<Record<string, string>>, ...tasks: readonly string[]): Promise<Ended>
}

export function makeCapistrano(fleet: Fleet, keepReleases: number): Capistrano {
  const program = requireService('capistrano')
  const [host] = fleet.hosts
  if (!host) throw new Error('Capistrano needs a host')
  const project = join(fleet.root, 'capistrano')
  const write = (name: string, lines: readonly string[]): void => {
    mkdirSync(dirname(join(project, name)), { recursive: true })
    writeFileSync(join(project, name), `${lines.join('\n')}\n`)
  }
  write('Capfile', [
    `require 'capistrano/setup'`,
    `require 'capistrano/deploy'`,
    `require 'capistrano/scm/git'`,
    'install_plugin Capistrano::SCM::Git',
  ])
  write('config/deploy.rb', [
    `set :application, 'shop'`,
    `set :repo_url, '${fleet.origin.repository}'`,
    `set :deploy_to, '${host.app.path}'`,
    `set :tmp_dir, '${host.tmp}'`,
    `set :keep_releases, ${String(keepReleases)}`,
    `set :local_user, 'capper'`,
    `append :linked_dirs, 'log', 'tmp/pids'`,
    `namespace(:deploy) { task(:give_up) { raise 'told to fail' } }`,
    `before 'deploy:publishing', 'deploy:give_up' if ENV['FAIL']`,
  ])
  const ssh = `{ config: ['${fleet.sshConfig}'], user_known_hosts_file: '${dirname(fleet.sshConfig)}/known_hosts', auth_methods: %w(publickey), forward_agent: false }`
  write('config/deploy/production.rb', [
    `server '${host.name}', user: '${host.user}', roles: %w(app web db), ssh_options: ${ssh}`,
  ])
  return {
    run: (env, ...tasks) =>
      start(program, ['production', ...tasks], {
        cwd: project,
        env: { ...fleet.env, LC_ALL: 'C.UTF-8', ...env },
      }).ended,
  }
}
