import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { page } from '../docs/pages.ts'
import { makeGitServer, type GitServer } from '../servers/git.ts'
import { servicesFound } from '../servers/service.ts'
import { startSshd, type SshHost } from '../servers/sshd.ts'
import { tempFolder, type TempFolder } from '../servers/temp.ts'
import { start } from './command.ts'

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const PAGE = page('docs/ci.md')

/** The lines of a recipe's shell that lead to the deploy, from the one that makes the key usable on. */
function recipe(title: string): string {
  const from = PAGE.indexOf(`## ${title}\n`)
  const section = PAGE.slice(from, PAGE.indexOf('\n## ', from + 1))
  const lines = section.split('\n').map((line) => line.trim().replace(/^- /, ''))
  const first = lines.findIndex((line) => /^(chmod|eval) /.test(line))
  const last = lines.findIndex((line, index) => index > first && line.startsWith('npx deployfile'))
  expect([first > 0, last > first], section).toEqual([true, true])
  return lines.slice(first, last + 1).join('\n')
}

/** The recipes as their page shows them, in what a runner gives them: secrets, variables, an empty home, nobody to ask. */
describe.runIf(servicesFound('sshd'))('docs/ci.md', () => {
  let folder: TempFolder
  let host: SshHost
  let git: GitServer
  beforeAll(async () => {
    folder = tempFolder('ci')
    git = makeGitServer({ branches: ['master'] })
    host = await startSshd({ name: 'web1' })
  })
  afterAll(async () => {
    await Promise.all([host.stop(), git.remove()])
    await folder.remove()
  })

  test.each([
    ['GitHub Actions', 'GITHUB_ACTOR'],
    ['GitLab', 'GITLAB_USER_LOGIN'],
  ])(
    '%s: deploys the commit of the job with its key, to the host whose key is pinned',
    async (title, actor) => {
      const home = join(folder.path, actor)
      mkdirSync(join(home, 'node_modules'), { recursive: true })
      symlinkSync(at('packages/deployfile'), join(home, 'node_modules/deployfile'))
      writeFileSync(
        join(home, 'deploy.config.ts'),
        `import { defineConfig } from 'deployfile'
import { deploy } from 'deployfile/recipes'
const app = deploy({ application: 'shop', repository: '${git.repository}', branch: 'master', deployTo: '${actor}' })
const address = '${host.user}@127.0.0.1:${String(host.port)}'
export default defineConfig({ stages: { production: { protected: true, hosts: { web1: { roles: ['app'], address } } } }, use: [app] })
`,
      )
      // ssh takes its files from the login's own home, which a test must not touch.
      writeFileSync(
        join(home, 'ssh_config'),
        `Host *\n  UserKnownHostsFile "${join(home, '.ssh/known_hosts')}"\n`,
      )
      const [key, known] = [join(home, 'key'), join(home, 'known')]
      writeFileSync(key, readFileSync(host.privateKeyPath))
      // As GitLab leaves files.
      chmodSync(key, 0o666)
      writeFileSync(known, `${host.knownHostsLine}\n`)
      const revision = git.revision()
      git.commit({ 'later.txt': 'later' })
      const env = {
        ...{ PATH: process.env['PATH'], HOME: home, [actor]: 'alice' },
        DEPLOYFILE_SSH_CONFIG: join(home, 'ssh_config'),
        DEPLOY_KEY: readFileSync(host.privateKeyPath, 'utf8').trimEnd(),
        KNOWN_HOSTS: host.knownHostsLine,
        DEPLOY_KEY_FILE: key,
        KNOWN_HOSTS_FILE: known,
        GITHUB_SHA: revision,
        CI_COMMIT_SHA: revision,
        ...(title.startsWith('GitHub') && { GITHUB_ACTIONS: 'true' }),
      }
      const script = recipe(title).replace(
        'npx deployfile',
        `node '${at('packages/deployfile/bin/deployfile.js')}'`,
      )
      // A runner ends what a job has left; here the agent is ended by its own number.
      const job = `trap 'ssh-agent -k >/dev/null' EXIT\n${script}\n`

      const ended = await start('bash', ['-e', '-c', job], { cwd: home, env }).ended

      expect(ended, ended.output).toMatchObject({ code: 0 })
      const there = join(host.home, actor)
      expect(readFileSync(join(there, 'current/REVISION'), 'utf8')).toBe(`${revision}\n`)
      expect(readFileSync(join(there, 'revisions.log'), 'utf8')).toMatch(/ by alice\n$/)
      expect(ended.stdout.includes('::group::')).toBe(title.startsWith('GitHub'))
    },
  )
})
