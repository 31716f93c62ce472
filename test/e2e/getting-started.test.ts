import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeGitServer, type GitServer } from '../servers/git.ts'
import { startPostgres, type PostgresServer } from '../servers/postgres.ts'
import { servicesFound } from '../servers/service.ts'
import { startSshd, type SshHost } from '../servers/sshd.ts'
import { tempFolder, type TempFolder } from '../servers/temp.ts'
import { start } from './command.ts'

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const PAGE = readFileSync(at('docs/getting-started.md'), 'utf8')

/** What the page tells its reader to do, in its order: a command with what it prints, or a file that is written or added to. */
type Step =
  | { readonly command: string; readonly shown: readonly string[] }
  | { readonly file: string; readonly text: string }

/**
 * `console` blocks hold commands after `$ ` and below each what it prints; a line `…` stands for any number of lines. A `ts` block
 * becomes the file that the sentence before it names in backquotes, at the end of its line.
 */
function steps(page: string): readonly Step[] {
  return [...page.matchAll(/(?:`([\w./-]+)`:\n\n)?^```(console|ts)\n(.*?)^```$/gms)].flatMap(
    ([, file, kind, text = '']): Step[] => {
      if (kind === 'ts') return file === undefined ? [] : [{ file, text }]
      return text.split(/^\$ /m).flatMap((part) => {
        const [command = '', ...shown] = part.trimEnd().split('\n')
        return command === '' ? [] : [{ command, shown }]
      })
    },
  )
}

/** What differs from run to run, made the same: times, releases, commits, who and where. */
const settled = (line: string): string =>
  line
    .replaceAll(/\b20\d{6}T\d{9}Z-[0-9a-f]{4}\b/g, 'RUN')
    .replaceAll(/_\d{8}T\d{9}Z_[0-9a-f]{4}\b/g, '_TIME')
    .replaceAll(/\b20\d{12}\b/g, 'RELEASE')
    .replaceAll(/\b[0-9a-f]{40}\b/g, 'COMMIT')
    .replaceAll(/\b[0-9a-f]{7,12}\b/g, 'ABBREVIATED')
    .replaceAll(/\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?/g, 'WHEN')
    .replaceAll(/\b[\d.]+ ?(ms|s|kB|MB|GB)\b/g, 'SIZE')
    .replaceAll(/SHA256:[\w+/]{43}/g, 'FINGERPRINT')
    .replaceAll(/ by \w+/g, ' by SOMEBODY')
    .replaceAll(/^\d\d:\d\d /g, 'TIME ')
    .replaceAll(/\s+/g, ' ')
    .trim()

/** The page is run on what it asks of its reader: a project in git, a host that lets its login in, and a PostgreSQL server there. */
describe.runIf(servicesFound('sshd', 'postgres'))('docs/getting-started.md', () => {
  let folder: TempFolder
  let host: SshHost
  let git: GitServer
  let production: PostgresServer
  let dev: PostgresServer
  beforeAll(async () => {
    folder = tempFolder('getting-started')
    const app = join(folder.path, 'app')
    mkdirSync(app)
    writeFileSync(join(app, 'package.json'), '{ "name": "shop", "private": true, "type": "module" }\n')
    writeFileSync(join(app, '.gitignore'), 'node_modules/\n')
    git = makeGitServer({ from: app, branches: ['main'] })
    ;[host, production, dev] = await Promise.all([
      startSshd({ name: 'web1.example.com' }),
      startPostgres(),
      startPostgres(),
    ])
    await production.psql('create database shop')
    await production.psql("create table items as select 'lamp' as name", 'shop')
    await dev.psql('create database shop_dev')
  })
  afterAll(async () => {
    await Promise.all([host.stop(), production.stop(), dev.stop(), git.remove()])
    await folder.remove()
  })

  test('does what it says, command by command', async () => {
    const project = join(folder.path, 'shop')
    const known = join(folder.path, 'known_hosts')
    const config = join(folder.path, 'ssh_config')
    writeFileSync(config, host.sshConfig(known))
    writeFileSync(known, '')
    mkdirSync(join(project, 'node_modules/.bin'), { recursive: true })
    symlinkSync(at('packages/deployfile'), join(project, 'node_modules/deployfile'))
    symlinkSync('../deployfile/bin/deployfile.js', join(project, 'node_modules/.bin/deployfile'))
    const url = ({ port }: PostgresServer): string => `postgresql://postgres@127.0.0.1:${String(port)}`
    // What stands for the reader's own: the login and the folder of the server, and where the databases listen.
    const here = (text: string): string =>
      text
        .replaceAll('deploy@web1.example.com', 'web1.example.com')
        .replaceAll('/var/www/shop', 'www/shop')
        .replaceAll('postgresql:///shop_dev', `${url(dev)}/shop_dev`)
        .replaceAll('postgresql:///shop', `${url(production)}/shop`)
        .replaceAll('git@git.example.com:shop.git', git.repository)
        .replaceAll(", user: 'deploy'", '')
    const env = {
      PATH: `${join(project, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`,
      HOME: folder.path,
      USER: 'alice',
      LANG: 'C.UTF-8',
      LOGIN: host.user,
      ORIGIN: git.repository,
      KNOWN: known,
      HOST_KEY: host.knownHostsLine,
      DEPLOYFILE_SSH_CONFIG: config,
      GIT_CONFIG_COUNT: '2',
      GIT_CONFIG_KEY_0: 'user.name',
      GIT_CONFIG_VALUE_0: 'alice',
      GIT_CONFIG_KEY_1: 'user.email',
      GIT_CONFIG_VALUE_1: 'alice@example.com',
    }
    const run = (command: string): ReturnType<typeof start>['ended'] =>
      // npx takes a second to find what is on PATH already.
      start('bash', ['-c', here(command).replaceAll('npx deployfile', 'deployfile')], { cwd: project, env })
        .ended
    const prepared = await run(
      'git init -qb main && git remote add origin "$ORIGIN" && git pull -q origin main',
    )
    expect(prepared, prepared.output).toMatchObject({ code: 0 })

    const told = steps(PAGE)
    expect(told.filter((step) => 'command' in step).length).toBeGreaterThan(10)
    for (const step of told) {
      if ('file' in step) {
        writeFileSync(join(project, step.file), here(step.text))
        continue
      }
      // Made by a reader once, here by what is there already.
      if (step.command.startsWith('npm install')) continue
      const command = step.command.replace(/^ssh-keyscan .*$/, 'echo "$HOST_KEY" >> "$KNOWN"')
      const { code, output } = await run(command)
      // What init wrote has the page's names.
      if (command.includes(' init ')) edit(join(project, 'deploy.config.ts'), here)
      expect(unlike(step.shown.map(here), output.split('\n')), `$ ${step.command}\n${output}`).toBe(undefined)
      const fails = step.shown.some((line) => line.startsWith('✘'))
      expect(code !== 0, `$ ${step.command}\n${output}`).toBe(fails)
    }
    const releases = readdirSync(join(host.home, 'www/shop/releases'))
    expect(releases).toHaveLength(1)
    expect(await dev.psql('select * from items', 'shop_dev')).toBe('lamp')
  })
})

function edit(file: string, change: (text: string) => string): void {
  writeFileSync(file, change(readFileSync(file, 'utf8')))
}

/** The first shown line that is not in the output where it should be; `…` stands for any lines, at a line's end for its rest. */
function unlike(shown: readonly string[], output: readonly string[]): string | undefined {
  const lines = output.map(settled).filter((line) => line !== '')
  let at = 0
  let anywhere = false
  for (const line of shown.map(settled).filter((line) => line !== '')) {
    if (line === '…') {
      anywhere = true
      continue
    }
    const parts = line.split('…')
    const fits = (found: string): boolean =>
      found.startsWith(parts[0] ?? '') && found.endsWith(parts.at(-1) ?? '')
    const next = anywhere ? lines.findIndex((found, index) => index >= at && fits(found)) : at
    const found = lines[next]
    if (found === undefined || !fits(found)) return line
    at = next + 1
    anywhere = false
  }
  return anywhere || shown.length === 0 || at === lines.length ? undefined : `(and then) ${lines[at] ?? ''}`
}
