import { mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { codeIn, page } from '../docs/pages.ts'
import { makeGitServer } from '../servers/git.ts'
import { requireService, servicesFound } from '../servers/service.ts'
import { tempFolder, type TempFolder } from '../servers/temp.ts'
import { start, type Ended } from './command.ts'

const PAGE = page('docs/coming-from-capistrano.md')

/** A project of Capistrano, for a host that is this machine; `deploy` is its config/deploy.rb. */
function capistrano(folder: string, deploy = ''): (...args: readonly string[]) => Promise<Ended> {
  const config = join(folder, 'config/deploy')
  mkdirSync(config, { recursive: true })
  writeFileSync(join(config, 'production.rb'), "server 'localhost', roles: %w[app]\n")
  writeFileSync(join(folder, 'config/deploy.rb'), deploy)
  const parts = ['setup', 'deploy', 'scm/git'].map((part) => `require 'capistrano/${part}'\n`)
  writeFileSync(join(folder, 'Capfile'), `${parts.join('')}install_plugin Capistrano::SCM::Git\n`)
  const env = { ...process.env, LC_ALL: 'C.UTF-8' }
  return (...args) => start(requireService('capistrano'), args, { cwd: folder, env }).ended
}

describe.runIf(servicesFound('capistrano'))('docs/coming-from-capistrano.md', () => {
  let folder: TempFolder
  beforeEach(() => {
    folder = tempFolder('capfile')
  })
  afterEach(() => folder.remove())

  test('names every task and every variable that Capistrano itself lists', async () => {
    const cap = capistrano(folder.path)
    const [listed, told] = await Promise.all([cap('-AT'), cap('production', 'doctor:variables')])
    for (const ended of [listed, told]) expect(ended, ended.output).toMatchObject({ code: 0 })
    const tasks = [...listed.stdout.matchAll(/^cap (\S+)/gm)].map(([, name = '']) => name)
    const variables = [...told.stdout.matchAll(/^\s+(:\w+)\s/gm)].map(([, name = '']) => name)
    expect(tasks.length).toBeGreaterThan(40)
    expect(variables.length).toBeGreaterThan(10)
    const said = new Set(codeIn(PAGE))
    const about = (name: string): boolean => said.has(name) || said.has(`cap ${name}`)
    // The stage of this Capfile is a task, too.
    expect([...tasks, ...variables].filter((name) => !about(name) && name !== 'production')).toEqual([])
  })

  test('Capistrano with the lines that it shows does not deploy while a deploy of ours holds the lock', async () => {
    await using git = makeGitServer()
    const lines = /^```ruby\n(namespace :deploy do\n {2}task :no_other_deploy.*?)^```$/ms.exec(PAGE)?.[1]
    const deployTo = join(folder.path, 'www')
    const cap = capistrano(
      folder.path,
      `set :application, 'shop'
set :repo_url, '${git.repository}'
set :deploy_to, '${deployTo}'
set :tmp_dir, '${folder.path}'
set :sshkit_backend, SSHKit::Backend::Local
${String(lines)}`,
    )
    const lock = join(deployTo, '.deployfile/lock')
    mkdirSync(lock, { recursive: true })

    const refused = await cap('production', 'deploy')
    expect(refused, refused.output).toMatchObject({ code: 1 })
    expect(refused.output).toContain('deployfile is deploying there: deployfile STAGE deploy:lock:status')
    expect(readdirSync(deployTo)).toEqual(['.deployfile'])

    rmdirSync(lock)
    const deployed = await cap('production', 'deploy')
    expect(deployed, deployed.output).toMatchObject({ code: 0 })
    expect(readdirSync(deployTo)).toContain('current')
  })
})
