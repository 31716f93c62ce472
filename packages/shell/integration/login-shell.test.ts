import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Host, type Shell, type ShellProvider } from '@deployfile/core'
import { createShells } from '@deployfile/shell'
import { afterEach, describe, expect, test } from 'vitest'
import { startPlainSshd } from '../../../test/servers/plain-sshd.ts'
import { servicesFound } from '../../../test/servers/service.ts'
import { problemOf, until } from '../test/contract.ts'
import { hostNamed, shellOf } from './host.ts'

// Those of the machine: bash and dash are on every Debian, the others where somebody has installed them.
const SHELLS = ['/bin/bash', '/bin/dash', '/bin/zsh', '/usr/bin/fish', '/bin/tcsh'].filter(existsSync)
const HARD = 'it\'s \\ a \\\\ $HOME `id` !! "quo\ttes" \\\' € \n two lines \\n {a,b} ~ *'

interface Login extends AsyncDisposable {
  readonly home: string
  open(more?: Partial<Host>): Shell
}

async function loginWith(shell: string): Promise<Login> {
  const sshd = await startPlainSshd({ shell })
  if (sshd.home === undefined) throw new Error('this machine allows no login with a home of its own')
  const config = join(sshd.root, 'ssh_config')
  writeFileSync(
    config,
    `Host web*
  HostName 127.0.0.1
  Port ${String(sshd.port)}
  User ${sshd.user}
  IdentityFile ${sshd.privateKeyPath}
  IdentitiesOnly yes
  IdentityAgent none
`,
  )
  const opened: ShellProvider[] = []
  return {
    home: sshd.home,
    open(more = {}) {
      const shells = createShells({ root: sshd.root, sshConfig: config })
      opened.push(shells)
      return shellOf(shells, hostNamed('web1', { hostKey: [sshd.hostKeyFingerprint], ...more }))
    },
    async [Symbol.asyncDispose]() {
      for (const shells of opened) await shells.close()
      await sshd[Symbol.asyncDispose]()
    },
  }
}

describe.runIf(servicesFound('sshd'))('login shells', () => {
  test.each(SHELLS)(
    '%s only has to start sh: values, input, exit codes and long commands are as everywhere',
    async (shell) => {
      await using login = await loginWith(shell)
      const remote = login.open()
      for (let at = 0; at < 2; at++) {
        // Twice, because after the first command the login shell is known.
        expect((await remote.run('printf', ['%s|', HARD, '', '-x'])).stdout).toBe(`${HARD}||-x|`)
        expect((await remote.sh`printf %s ${HARD}; cat`).stdout).toBe(HARD)
        expect((await remote.run('cat', [], { input: HARD })).stdout).toBe(HARD)
        expect((await remote.script('printf %s "$1"; cat', [HARD], { input: HARD })).stdout).toBe(HARD + HARD)
        const long = HARD.repeat(2_000)
        expect(await remote.capture`printf %s ${long}`).toBe(long)
        expect((await problemOf(remote.sh`exit 9`)).details.command?.exitCode).toBe(9)
        expect((await problemOf(remote.sh`kill -TERM $$`)).details.command?.signal).toBe('SIGTERM')
        await remote.writeFile("a'b\\c!", HARD)
        expect(await remote.readFile("a'b\\c!")).toBe(HARD)
      }
      const values = Array.from({ length: 10 }, (_, at) =>
        String.fromCodePoint(...Array.from({ length: 25 }, (_, to) => at * 25 + to + 1)),
      )
      expect((await remote.run('printf', ['%s\\0', ...values])).stdout).toBe(`${values.join('\0')}\0`)
    },
  )

  test('a banner and noise of the startup files are no part of any answer', async () => {
    await using login = await loginWith('/bin/bash')
    writeFileSync(
      join(login.home, '.bashrc'),
      'echo "Welcome to production!"; printf "no line end"; echo careful >&2\n',
    )
    const remote = login.open()
    expect(await remote.capture`echo answer`).toBe('answer')
    expect(await remote.test`true`).toBe(true)
    await remote.writeFile('file', 'content')
    expect(await remote.readFile('file')).toBe('content')
    const bytes = await remote.downloadFile('file', 'file')
    expect(bytes).toBe(7)
  })

  test.each([
    ['exit 0', 'exit code 0'],
    ['echo "not today"; exit 3', 'exit code 3 before it ran touch it-ran: not today'],
    ['exec true', 'exit code 0'],
    ['kill -KILL $$', 'killed by SIGKILL'],
  ])(
    '%s in .bashrc is a clear failure: nothing ran, and nothing is taken to have succeeded',
    async (line, how) => {
      await using login = await loginWith('/bin/bash')
      writeFileSync(join(login.home, '.bashrc'), `${line}\n`)
      const problem = await problemOf(login.open().sh`touch it-ran`)
      expect(problem).toMatchObject({
        code: 'LOGIN_SHELL',
        kind: 'check',
        details: { command: { mayHaveRun: false } },
      })
      expect(problem.message).toContain(how)
      expect(problem.details.hint).toContain('~/.bashrc')
      expect(existsSync(join(login.home, 'it-ran'))).toBe(false)
    },
  )

  test('a login that is not for commands says what it says', async () => {
    await using login = await loginWith('/usr/sbin/nologin')
    const problem = await problemOf(login.open().sh`true`)
    expect(problem.code).toBe('LOGIN_SHELL')
    expect(problem.message).toContain('This account is currently not available.')
  })
})

/** What nvm, rbenv and asdf put into startup files, where their installers put it. */
const DEBIAN_BASHRC = `case $- in *i*) ;; *) return ;; esac
PS1='$ '
export NVM_DIR="$HOME/.nvm"
[ -s "$NVM_DIR/nvm.sh" ] && . "$NVM_DIR/nvm.sh"
`
const DEBIAN_PROFILE = `if [ -n "$BASH_VERSION" ] && [ -f "$HOME/.bashrc" ]; then . "$HOME/.bashrc"; fi
export RAILS_ENV=production
export FROM_PROFILE="it's
two lines"
`

function installNode(home: string): void {
  const bin = join(home, '.nvm/versions/node/v20/bin')
  mkdirSync(bin, { recursive: true })
  writeFileSync(join(bin, 'nvm-node'), '#!/bin/sh\necho v20.0.0\n', { mode: 0o755 })
  // As the real one: the PATH of the default version, and a function.
  writeFileSync(
    join(home, '.nvm/nvm.sh'),
    'export PATH="$NVM_DIR/versions/node/v20/bin:$PATH"\nnvm() { :; }\necho x >> ~/asked\n',
  )
  writeFileSync(join(home, '.bashrc'), DEBIAN_BASHRC)
  writeFileSync(join(home, '.profile'), DEBIAN_PROFILE)
}

function installRuby(home: string): void {
  mkdirSync(join(home, '.rbenv/shims'), { recursive: true })
  writeFileSync(join(home, '.rbenv/shims/ruby'), '#!/bin/sh\necho 3.3 "$@"\n', { mode: 0o755 })
}

describe.runIf(servicesFound('sshd'))('where programs are', () => {
  test('without path and login it is what sshd gives, and the failure names both', async () => {
    await using login = await loginWith('/bin/bash')
    installNode(login.home)
    const problem = await problemOf(login.open().sh`nvm-node --version`)
    expect(problem.details.command?.exitCode).toBe(127)
    expect(problem.details.hint).toContain('`path` or `login: true`')
  })

  test('path puts folders in front, those of the home too', async () => {
    await using login = await loginWith('/bin/bash')
    installRuby(login.home)
    const remote = login.open({ path: ['~/.rbenv/shims', "/opt/it's here"] })
    expect(await remote.capture`ruby -v`).toBe('3.3 -v')
    expect((await remote.run('ruby', ["it's"])).stdout).toBe("3.3 it's\n")
    expect((await remote.script('ruby "$1"', ['x'])).stdout).toBe('3.3 x\n')
    expect(await remote.capture`echo "$PATH"`).toMatch(
      new RegExp(`^${login.home}/.rbenv/shims:/opt/it's here:.*/usr/bin`),
    )
  })

  test.each(['/bin/bash', ...SHELLS.filter((shell) => shell.endsWith('zsh'))])(
    'login takes all that %s of a person has, asked once',
    async (shell) => {
      await using login = await loginWith(shell)
      installNode(login.home)
      if (shell.endsWith('zsh')) {
        writeFileSync(join(login.home, '.zprofile'), DEBIAN_PROFILE)
        writeFileSync(join(login.home, '.zshrc'), DEBIAN_BASHRC.replace(/^case.*\n/, ''))
      }
      writeFileSync(join(login.home, '.hushlogin'), '')
      const remote = login.open({ login: true, path: ['~/own'] })
      const all = await Promise.all(Array.from({ length: 5 }, () => remote.capture`nvm-node --version`))
      expect(all).toEqual(Array.from({ length: 5 }, () => 'v20.0.0'))
      expect((await remote.run('nvm-node')).stdout).toBe('v20.0.0\n')
      expect((await remote.script('nvm-node; echo "$1"', ['x'], { input: 'in' })).stdout).toBe('v20.0.0\nx\n')
      expect(await remote.capture`echo "$RAILS_ENV|$FROM_PROFILE"`).toBe("production|it's\ntwo lines")
      expect(await remote.capture`echo "$PATH"`).toMatch(new RegExp(`^${login.home}/own:${login.home}/.nvm/`))
      expect(await remote.with({ cwd: '/var' }).capture`pwd; echo "$PWD"`).toBe('/var\n/var')
      expect(await remote.with({ env: { RAILS_ENV: 'test' } }).capture`echo "$RAILS_ENV"`).toBe('test')
      expect((await remote.readFile('asked')).trim().split('\n')).toHaveLength(1)
    },
  )

  test('a profile that ends in something else, or asks, fails with what it said, in time', async () => {
    await using login = await loginWith('/bin/bash')
    writeFileSync(
      join(login.home, '.bash_profile'),
      'read -p "Which project? " x; echo "no project"; exit 4\n',
    )
    const problem = await problemOf(login.open({ login: true }).sh`true`)
    expect(problem).toMatchObject({ code: 'LOGIN_SHELL', kind: 'check' })
    expect(problem.message).toContain('the login shell did not give its environment')
    expect(problem.details.hint).toContain('name the folders of the programs by path')
  })
})

describe('on this machine', () => {
  const before = { HOME: process.env['HOME'], SHELL: process.env['SHELL'] }
  afterEach(() => void Object.assign(process.env, before))

  test('a cancel is heard while another command is asking the login shell', async () => {
    const { tempFolder } = await import('../../../test/servers/temp.ts')
    await using folder = tempFolder('login')
    // Ends when the test says so.
    execFileSync('mkfifo', [join(folder.path, 'go')])
    writeFileSync(
      join(folder.path, '.bash_profile'),
      'echo x > ~/begun; read -r _ < ~/go\nexport READY=yes\n',
    )
    Object.assign(process.env, { HOME: folder.path, SHELL: '/bin/bash' })
    const shells = createShells({ root: folder.path })
    const host = hostNamed('slow', { transport: 'local', login: true })
    const first = shellOf(shells, host).capture`echo "$READY"`
    await until(() => existsSync(join(folder.path, 'begun')))
    const stop = new AbortController()
    const second = problemOf(shellOf(shells, host, stop.signal).sh`touch ran-anyway`)
    stop.abort()
    expect(await second).toMatchObject({
      code: 'COMMAND_CANCELLED',
      details: { command: { mayHaveRun: false } },
    })
    writeFileSync(join(folder.path, 'go'), 'now\n')
    expect(await first).toBe('yes')
    expect(existsSync(join(folder.path, 'ran-anyway'))).toBe(false)
  })

  test('path and login mean the same', async () => {
    const { tempFolder } = await import('../../../test/servers/temp.ts')
    await using folder = tempFolder('login')
    installNode(folder.path)
    installRuby(folder.path)
    Object.assign(process.env, { HOME: folder.path, SHELL: '/bin/bash' })
    const shells = createShells({ root: folder.path })
    const local = (more: Partial<Host>): Shell =>
      shellOf(shells, hostNamed('dev', { transport: 'local', ...more }))
    expect(await local({ path: ['~/.rbenv/shims'] }).capture`ruby`).toBe('3.3')
    const login = local({ name: 'dev2', login: true })
    expect(await login.capture`nvm-node; echo "$RAILS_ENV"`).toBe('v20.0.0\nproduction')
    expect((await login.run('nvm-node')).stdout).toBe('v20.0.0\n')
  })
})
