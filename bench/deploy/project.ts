import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { SshHost } from '../../test/servers/sshd.ts'

/**
 * The folder of a deployfile project and of a Capistrano one, which deploy the same repository to the same hosts. `modules` holds the
 * packages of the first.
 */
export function writeProjects(
  folder: string,
  repository: string,
  sshConfig: string,
  hosts: readonly SshHost[],
  modules: string,
): void {
  const write = (name: string, text: string): void => {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  write(
    'ours/deploy.config.mjs',
    `import { defineConfig } from 'deployfile'
import { deploy } from 'deployfile/recipes'
const app = deploy({
  application: 'shop', repository: ${JSON.stringify(repository)}, branch: 'master', deployTo: 'ours', keepReleases: 3,
  linkedDirs: ['log', 'tmp/pids'], restart: 'cp -f REVISION ../../served',
})
const hosts = { ${hosts.map(({ name }) => `${name}: { roles: ['app'] }`).join(', ')} }
export default defineConfig({ stages: { production: { hosts } }, defaultStage: 'production', use: [app] })
`,
  )
  symlinkSync(modules, join(folder, 'ours/node_modules'))
  const ssh = `{ config: ['${sshConfig}'], user_known_hosts_file: '${dirname(sshConfig)}/known_hosts', auth_methods: %w(publickey), forward_agent: false }`
  write(
    'cap/Capfile',
    `require 'capistrano/setup'
require 'capistrano/deploy'
require 'capistrano/scm/git'
install_plugin Capistrano::SCM::Git
`,
  )
  // The tilde: every host has the folder in a home of its own, and Capistrano quotes nothing.
  write(
    'cap/config/deploy.rb',
    `set :application, 'shop'
set :repo_url, '${repository}'
set :deploy_to, '~/cap'
set :tmp_dir, '~'
set :keep_releases, 3
append :linked_dirs, 'log', 'tmp/pids'
after 'deploy:published', 'served' do on(roles(:all)) { execute :cp, '-f', '~/cap/current/REVISION', '~/cap/served' } end
`,
  )
  write(
    'cap/config/deploy/production.rb',
    hosts
      .map(({ name, user }) => `server '${name}', user: '${user}', roles: %w(app), ssh_options: ${ssh}\n`)
      .join(''),
  )
}
