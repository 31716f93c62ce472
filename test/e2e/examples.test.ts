import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeGitServer, type GitServer } from '../servers/git.ts'
import { servicesFound } from '../servers/service.ts'
import { startSshd, type SshHost } from '../servers/sshd.ts'
import { tempFolder, type TempFolder } from '../servers/temp.ts'
import { start, type Ended } from './command.ts'
import { deployment } from './deployment.ts'

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url))

// Every example but disastrously-rails, which deploy.test.ts and others deploy: its config is planned, and then used, on a host that is real.
describe.runIf(servicesFound('sshd'))('the examples', () => {
  let folder: TempFolder
  let host: SshHost
  beforeAll(async () => {
    folder = tempFolder('examples')
    host = await startSshd({ name: 'example-host' })
  })
  afterAll(async () => {
    await host.stop()
    await folder.remove()
  })

  interface Project {
    readonly path: string
    readonly origin: GitServer
    run(...args: readonly string[]): Promise<Ended>
  }

  /** The example as a project on a developer's machine. Its hosts are all this one, its deployTo is below the login's home there. */
  function project(name: string): Project {
    const path = join(folder.path, name)
    const ignored = new Set(['node_modules', '.deployfile', 'dist'])
    cpSync(at(`examples/${name}`), path, { recursive: true, filter: (from) => !ignored.has(basename(from)) })
    const origin = makeGitServer({ from: path, branches: ['main'] })
    const text = readFileSync(join(path, 'deploy.config.ts'), 'utf8')
    const changed = text
      .replaceAll(/'git@git\.example\.com:[^']*'/g, JSON.stringify(origin.repository))
      .replaceAll("'/srv/", "'srv/")
      .replaceAll(/user: 'deploy'/g, `user: '${host.user}', address: '127.0.0.1:${String(host.port)}'`)
    expect(changed).not.toBe(text)
    writeFileSync(join(path, 'deploy.config.ts'), changed)
    mkdirSync(join(path, 'node_modules/.bin'), { recursive: true })
    symlinkSync(at('packages/deployfile'), join(path, 'node_modules/deployfile'))
    const home = join(folder.path, 'home')
    mkdirSync(join(home, '.ssh'), { recursive: true, mode: 0o700 })
    const known = join(home, '.ssh/known_hosts')
    writeFileSync(join(home, '.gitconfig'), '[user]\n  name = Developer\n')
    writeFileSync(known, `${host.knownHostsLine}\n`)
    writeFileSync(
      join(home, '.ssh/config'),
      `Host *\n  IdentityFile "${host.privateKeyPath}"\n  IdentitiesOnly yes\n  UserKnownHostsFile "${known}"\n`,
    )
    const env = {
      ...{ PATH: process.env['PATH'], HOME: home, USER: 'developer', LANG: 'C.UTF-8' },
      DEPLOYFILE_SSH_CONFIG: join(home, '.ssh/config'),
    }
    const bin = at('packages/deployfile/bin/deployfile.js')
    return {
      path,
      origin,
      run: (...args) => start(process.execPath, [bin, ...args], { cwd: path, env }).ended,
    }
  }

  /** Planned, tried without a change on any host, and done. */
  async function deploys(project: Project, task: string): Promise<string> {
    const dry = await project.run('production', task, '--dry-run')
    expect(dry, dry.output).toMatchObject({ code: 0 })
    const done = await project.run('production', task, '--yes')
    expect(done, done.output).toMatchObject({ code: 0 })
    return done.output
  }

  const site = (name: string): ReturnType<typeof deployment> => deployment(join(host.home, 'srv', name))

  test('static-site: what is built here is what is served', async () => {
    await using parts = asParts(project('static-site'))
    await deploys(parts.project, 'deploy')
    expect(site('static-site').read('current/index.html')).toContain('Nothing has gone wrong yet.')
    expect(site('static-site').read('current/REVISION')).toMatch(/^[0-9a-f]{64}\n$/)
    expect(site('static-site').names('.deployfile')).toEqual(['releases.jsonl'])
    expect(existsSync(join(parts.project.path, '.deployfile/source'))).toBe(true)
  })

  test('node-systemd: packages, a linked file from here, and a unit that is restarted', async () => {
    await using parts = asParts(project('node-systemd'))
    // No systemd runs where tests run: a stand-in writes down what it is asked.
    const bin = join(host.home, 'bin')
    mkdirSync(bin)
    for (const [name, script] of [
      ['sudo', 'shift 1; exec "$@"'],
      ['systemctl', `echo "$*" >> '${host.home}/asked'`],
    ] as const)
      writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
    const config = join(parts.project.path, 'deploy.config.ts')
    const text = readFileSync(config, 'utf8')
      .replaceAll('sudo: true },', `path: ['${bin}'] },`)
      .replace(/'app2\.example\.com': [^\n]*\n/, '')
    writeFileSync(config, text)
    await deploys(parts.project, 'deploy')
    expect(site('node-systemd').read('current/.env')).toBe('PORT=3000\n')
    expect(readFileSync(join(host.home, 'asked'), 'utf8')).toBe(
      '--system --no-ask-password restart node-systemd.service\n--system is-active node-systemd.service\n',
    )
  })

  test('monorepo-two-apps: two folders of a repository, deployed at once', async () => {
    await using parts = asParts(project('monorepo-two-apps'))
    await deploys(parts.project, 'both')
    expect(site('api').read('current/main.txt')).toBe('the api\n')
    expect(site('shop').read('current/main.txt')).toBe('the shop\n')
    expect(site('api').names('current')).toContain('restarted')
  })

  test('custom-pipeline: tested before, listed while, told after', async () => {
    await using parts = asParts(project('custom-pipeline'))
    expect(await deploys(parts.project, 'ship')).toContain('tests passed')
    parts.project.origin.commit({ 'new.txt': 'new' }, 'Add something new', 'main')
    const again = await parts.project.run('production', 'ship', '--yes')
    expect(again, again.output).toMatchObject({ code: 0 })
    const revision = parts.project.origin.revision('main').slice(0, 10)
    expect(readFileSync(join(parts.project.path, 'summary.txt'), 'utf8')).toBe(
      `Developer deployed ${revision} to production (app.example.com):\n- Add something new\n`,
    )
  })

  function asParts(made: Project): AsyncDisposable & { readonly project: Project } {
    return { project: made, [Symbol.asyncDispose]: () => made.origin.remove() }
  }
})
