import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { configText } from '../../src/command/init-config.ts'
import { cli } from '../cli-harness.ts'

describe('init', () => {
  it('writes a config from what is given, which loads and plans as it is', async () => {
    const one = cli().args(
      'init',
      'application=shop',
      'repository=git@example.com:shop.git',
      'host=deploy@web1.example.com:2222,web2',
    )
    const { code, stdout } = await one.run()
    expect({ code }).toEqual({ code: 0 })
    expect(stdout).toMatch(/^Wrote <root>\/deploy\.config\.ts\n/)
    expect(readFileSync(path.join(one.root, 'deploy.config.ts'), 'utf8'))
      .toBe(`import { defineConfig } from 'deployfile'
import { deploy } from 'deployfile/recipes'

const app = deploy({
  application: 'shop',
  repository: 'git@example.com:shop.git',
  branch: 'main', // your branch
  deployTo: '/var/www/shop',
})

export default defineConfig({
  stages: {
    production: {
      protected: true,
      hosts: {
        'web1.example.com': { roles: ['app', 'web', 'db'], user: 'deploy', port: 2222 },
        'web2': { roles: ['app', 'web'] },
      },
    },
  },
  use: [app],
})
`)
    const plan = await one.next('production', 'deploy', '--plan').run()
    expect(plan.code, plan.stderr).toBe(0)
    expect(plan.stdout).toContain('web1.example.com')
  })

  it('reads what a project of Capistrano, Rails and npm tells', async () => {
    const one = cli()
      .file('package.json', '{ "name": "@acme/other" }')
      .file('Gemfile', "gem 'rails'\ngem 'passenger'\n")
      .file('Capfile', '')
      .file(
        'config/deploy.rb',
        `set :application, "shop"
set :repo_url, 'git@example.com:shop.git'
set :deploy_to, "/srv/shop"
append :linked_files, "config/database.yml", 'config/master.key'
set :linked_dirs, %w[log tmp/pids]
set :keep_releases, 3
`,
      )
      .file('config/deploy/production.rb', 'server "web1.example.com", user: "deploy", roles: %w{app web}\n')
      .file('config/deploy/staging.rb', '')
      .args('init', '--yes')
    const { code } = await one.run()
    expect(code).toBe(0)
    const text = readFileSync(path.join(one.root, 'deploy.config.ts'), 'utf8')
    for (const line of [
      "application: 'shop',",
      "repository: 'git@example.com:shop.git',",
      "deployTo: '/srv/shop',",
      "linkedFiles: ['config/database.yml', 'config/master.key'],",
      "linkedDirs: ['log', 'tmp/pids'],",
      'keepReleases: 3,',
      "migrate: 'bundle exec rake db:migrate',",
      'restart: passenger(),',
      "'web1.example.com': { roles: ['app', 'web', 'db'], user: 'deploy' },",
      "'staging.example.com': { roles: ['app', 'web', 'db'], user: 'deploy' }, // your host",
    ]) {
      expect(text).toContain(line)
    }
    expect((await one.next('-T').run()).code).toBe(0)
  })

  it('says of each guess that it is one, and of what is known nothing', () => {
    const guesses = (text: string): readonly string[] => text.match(/^.*\/\/ your .*$/gm) ?? []
    expect(guesses(configText({ application: 'shop' }))).toEqual([
      "  repository: 'git@git.example.com:shop.git', // your repository",
      "  branch: 'main', // your branch",
      "        'production.example.com': { roles: ['app', 'web', 'db'], user: 'deploy' }, // your host",
    ])
    const known = { repository: 'git@example.com:shop.git', branch: 'main', host: 'web1' }
    expect(guesses(configText({ application: 'shop', ...known }))).toEqual([])
  })

  it('asks for what is not given, again where an answer would be refused, and says what is left to do', async () => {
    const one = cli()
      .file('package.json', '{ "name": "shop" }')
      .args('init')
      .types('my shop', 'shop', '-x', '', 'a..b', '', 'web 1', 'deploy@web1:2222', '', 'shop', '')
    await one.ends(
      0,
      `? What is the application called? [shop]
> my shop
! an application is one word
> shop
? Which git repository is deployed? (empty: later)
> -x
! "-x" starts with a dash, which git would take for an option
>${' '}
? Which branch goes to production? [main]
> a..b
! "a..b" cannot be the name of a branch or tag
> main
? On which host does production run? (several with commas; empty: later)
> web 1
! "web 1" cannot be the name of a host of the stage 'production'
> deploy@web1:2222
? In which folder on the host? [/var/www/shop]
> /var/www/shop
? Which PostgreSQL database does production have, as a URL? (empty: none)
> shop
! the URL of a database does not start with postgresql://
>${' '}
Wrote <root>/deploy.config.ts
  from package.json: the name

Before the first deploy, put these into it: repository.

Next:
  npx deployfile -T                          what there is to run
  npx deployfile doctor                      whether the hosts are ready
  npx deployfile production deploy --plan    what a deploy would do
`,
    )
    expect((await one.next('production', 'deploy', '--plan').run()).code).toBe(0)
  })

  it('writes nothing when a question is left', async () => {
    const one = cli().args('init').types('shop')
    const { code, stderr } = await one.run()
    expect({ code, stderr }).toEqual({
      code: 3,
      stderr:
        'deployfile: nothing was written: the question was not answered\n  Run it again, or give the answers: deployfile init --help\n',
    })
    expect(existsSync(path.join(one.root, 'deploy.config.ts'))).toBe(false)
  })

  it('--json writes nothing', async () => {
    const one = cli().args('init', 'application=shop', '--json')
    const { stdout } = await one.run()
    expect(JSON.parse(stdout)).toMatchObject({
      answers: { application: 'shop' },
      text: expect.any(String) as unknown,
    })
    expect(existsSync(path.join(one.root, 'deploy.config.ts'))).toBe(false)
  })

  it('never overwrites a config', async () => {
    await cli()
      .file('deploy.config.mjs', 'mine')
      .args('init')
      .ends(
        2,
        '',
        'deployfile: <root>/deploy.config.mjs is there already\n  Edit it, or move it away first. deployfile -T lists what it has.\n',
      )
  })

  it.each([
    [
      ['hots=web1'],
      "'init' does not know 'hots=web1'\n  Did you mean 'host'? It takes application=… repository=… branch=… host=… deploy_to=… database=…\n",
    ],
    [
      ['application=my shop'],
      'application= does not fit: an application is one word\n  Nothing was written. Give another one: deployfile init application=…\n',
    ],
    [
      ['host=web1,web 2'],
      `host= does not fit: "web 2" cannot be the name of a host of the stage 'production'\n  Nothing was written. Give another one: deployfile init host=…\n`,
    ],
    [['host='], 'host= has no value\n  Write host=…, or leave it out.\n'],
  ])('%j is refused', async (words, said) => {
    await cli()
      .args('init', ...words)
      .ends(2, '', `deployfile: ${said}`)
  })

  it('never writes a password down', () => {
    const text = configText({ application: 'a', database: 'postgresql://app:hunter2@db/app' })
    expect(text).toContain("databases: { production: 'postgresql://app@db/app' },")
    expect(text).not.toContain('hunter2')
  })

  it('quotes what is asked for', () => {
    expect(configText({ application: "it's" })).toContain(`application: 'it\\'s',`)
  })
})
