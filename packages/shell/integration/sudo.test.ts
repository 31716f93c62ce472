import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type CommandEvent, type Host, secret, type Shell, type ShellProvider } from '@deployfile/core'
import { createShells } from '@deployfile/shell'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { isRunning } from '../../../test/servers/marked-processes.ts'
import { type PlainSshd, startPlainSshd } from '../../../test/servers/plain-sshd.ts'
import { servicesFound } from '../../../test/servers/service.ts'
import { problemOf, until } from '../test/contract.ts'
import { hostNamed, shellOf } from './host.ts'
import { type Proxy, startProxy } from '../../../test/servers/proxy.ts'

/** Passwords of its own for the login, which the server alone sees: only root can make that. */
const possible = process.getuid?.() === 0
if (!possible) console.warn('SKIPPED: sudo is tested with users of its own, which takes root.')

const PASSWORD = "pass'word $1 €"
const ALL = 'deploy ALL=(ALL) ALL'
const FREE = 'deploy ALL=(ALL) NOPASSWD: ALL'

describe.runIf(possible && servicesFound('sshd', 'sudo'))('as another user, by sudo', () => {
  let sshd: PlainSshd
  let proxy: Proxy
  let shells: ShellProvider
  let home: string
  const log = (): string => join(sshd.root, 'sudo.log')

  beforeAll(async () => {
    const hash = spawnSync('openssl', ['passwd', '-6', '-stdin'], {
      input: PASSWORD,
      encoding: 'utf8',
    }).stdout.trim()
    const row = (name: string, value: string): string => `${name}:${value}:19000:0:99999:7:::`
    sshd = await startPlainSshd({
      users: ['service:x:54400:54400::/tmp:/usr/sbin/nologin'],
      files: {
        '/etc/shadow': {
          content: `${[row('root', '*'), row('deploy', hash), row('service', '*')].join('\n')}\n`,
          mode: 0o600,
        },
        '/etc/sudoers': { content: '', mode: 0o440 },
      },
    })
    home = sshd.home ?? ''
    mkdirSync(join(sshd.root, 'shared'))
    chmodSync(join(sshd.root, 'shared'), 0o777)
    proxy = await startProxy(sshd.port)
    writeFileSync(
      join(sshd.root, 'ssh_config'),
      `Host web1
  HostName 127.0.0.1
  Port ${String(proxy.port)}
  User deploy
  IdentityFile ${sshd.privateKeyPath}
  IdentitiesOnly yes
  IdentityAgent none
`,
    )
    process.env['SUDO_TEST_PASSWORD'] = PASSWORD
    process.env['SUDO_TEST_WRONG'] = 'not the password'
  })
  beforeEach(() => {
    shells = createShells({ root: sshd.root, sshConfig: join(sshd.root, 'ssh_config') })
    return () => shells.close()
  })
  afterAll(async () => {
    await proxy[Symbol.asyncDispose]()
    await sshd[Symbol.asyncDispose]()
  })

  /** Asks every time, tells its stories, and writes down how often it was told a wrong password. */
  const sudoers = (...lines: readonly string[]): void =>
    sshd.write(
      '/etc/sudoers',
      [
        'Defaults timestamp_timeout=0, lecture=always, !syslog',
        `Defaults logfile=${log()}`,
        ...lines,
        '',
      ].join('\n'),
    )
  const events: CommandEvent[] = []
  const as = (user: string, sudo?: Host['sudo'], signal?: AbortSignal): Shell => {
    events.length = 0
    const host = hostNamed('web1', { hostKey: [sshd.hostKeyFingerprint], ...(sudo && { sudo }) })
    return shellOf(shells, host, signal, (event) => events.push(event)).with({ user })
  }
  const right = { password: secret.env('SUDO_TEST_PASSWORD') }
  const wrong = { password: secret.env('SUDO_TEST_WRONG') }
  const everything = (): string =>
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
      .map((pid) => {
        try {
          return readFileSync(`/proc/${pid}/cmdline`, 'latin1')
        } catch {
          return ''
        }
      })
      .join('\n')

  describe.each([
    ['without a password', FREE, undefined],
    ['with one', ALL, right],
    ['with one that is not asked for', FREE, right],
  ] as const)('%s', (_, rule, sudo) => {
    beforeEach(() => sudoers(rule))

    test('commands, scripts and questions are run by that user, in the same folder, with input and environment', async () => {
      const service = as('service', sudo)
      expect(await service.capture`id -un; echo "$HOME"; pwd`).toBe(`service\n/tmp\n${home}`)
      expect(await service.test`[ "$(id -un)" = service ]`).toBe(true)
      expect((await service.run('printf', ['[%s]', "it's", '€ $x', ''])).stdout).toBe("[it's][€ $x][]")
      expect((await service.script('id -un; echo "$1"', ['a b'])).stdout).toBe('service\na b\n')
      const input = 'the input,\nall of it'
      expect((await service.run('cat', [], { input })).stdout).toBe(input)
      expect((await service.script(`${': x\n'.repeat(30_000)}cat`, [], { input })).stdout).toBe(input)
      const set = service.with({ env: { COLOUR: 'blue' }, cwd: '/var', umask: 0o027 })
      expect(await set.capture`echo "$COLOUR"; pwd; umask`).toBe('blue\n/var\n0027')
      // English was for us to understand sudo by.
      expect(await service.capture`echo "\${LC_ALL-none}"`).toBe('none')
      const done = await service.sh`echo out; echo err >&2`
      expect(done).toMatchObject({ stdout: 'out\n', stderr: 'err\n' })
      expect((await problemOf(service.sh`exit 4`)).details.command?.exitCode).toBe(4)
      expect((await problemOf(service.sh`no-such-program`)).details.command?.exitCode).toBe(127)
      expect(await as('root', sudo).capture`id -u`).toBe('0')
      expect(await as('#54400', sudo).capture`id -un`).toBe('service')
    })

    test('files are written, read and removed by that user', async () => {
      const service = as('service', sudo).with({ cwd: join(sshd.root, 'shared') })
      await service.writeFile('private', 'secret content\n', { mode: 0o600 })
      expect(statSync(join(sshd.root, 'shared/private')).uid).toBe(54_400)
      expect(await service.readFile('private')).toBe('secret content\n')
      expect(await service.exists('private')).toBe(true)
      writeFileSync(join(sshd.root, 'local.bin'), Buffer.alloc(2_000_000, 'x'))
      await service.uploadFile('local.bin', 'up.bin')
      expect(await service.downloadFile('up.bin', 'down.bin')).toBe(2_000_000)
      expect(readFileSync(join(sshd.root, 'down.bin')).equals(Buffer.alloc(2_000_000, 'x'))).toBe(true)
      mkdirSync(join(sshd.root, 'up/sub'), { recursive: true })
      writeFileSync(join(sshd.root, 'up/sub/run'), 'x', { mode: 0o755 })
      await service.uploadDir('up', 'tree')
      expect(statSync(join(sshd.root, 'shared/tree/sub/run'))).toMatchObject({ uid: 54_400, mode: 0o100755 })
      await service.downloadDir('tree', 'down')
      expect(statSync(join(sshd.root, 'down/sub/run')).mode).toBe(0o100755)
      rmSync(join(sshd.root, 'down'), { recursive: true })
      await service.remove('tree')
      await service.remove('private')
      await service.remove('up.bin')
      expect(readdirSync(join(sshd.root, 'shared'))).toEqual([])
    })

    test('a secret reaches the command; no password and no secret is in any argument, event or error', async () => {
      writeFileSync(join(sshd.root, 'token'), 'tok en\nof two lines')
      const service = as('service', sudo).with({ secrets: { TOKEN: secret.file(join(sshd.root, 'token')) } })
      expect((await service.run('printenv', ['TOKEN'], { input: 'unread' })).stdout).toBe(
        'tok en\nof two lines\n',
      )
      const pidFile = join(sshd.root, 'shared/waits')
      const running = service.sh`echo $$ > ${pidFile}; exec sleep 1000`.catch(() => undefined)
      await until(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8').endsWith('\n'))
      const seen = everything()
      expect(seen).toContain('DEPLOYFILE_COMMAND=')
      for (const word of [PASSWORD, 'tok en', 'of two lines']) expect(seen).not.toContain(word)
      process.kill(Number(readFileSync(pidFile, 'utf8')))
      await running
      const problem = await problemOf(service.sh`echo "$TOKEN"; cat; exit 1`)
      const all = JSON.stringify([events, problem.message, problem.details])
      for (const word of ["pass'word", 'tok en', 'of two lines']) expect(all).not.toContain(word)
      await as('service', sudo).remove(join(sshd.root, 'shared/waits'))
    })

    test('a cancel ends what runs as that user, which the login itself may not signal', async () => {
      const stop = new AbortController()
      const pidFile = join(sshd.root, 'shared', `pid-${String(events.length)}`)
      const running = problemOf(as('service', sudo, stop.signal).sh`sleep 1000 & echo $! > ${pidFile}; wait`)
      await until(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8').endsWith('\n'))
      const pid = Number(readFileSync(pidFile, 'utf8'))
      const begun = performance.now()
      stop.abort()
      const problem = await running
      expect(problem.code).toBe('COMMAND_CANCELLED')
      expect(problem.message).not.toContain('may still be running')
      expect(isRunning(pid)).toBe(false)
      expect(performance.now() - begun).toBeLessThan(9_000)
      await as('service', sudo).remove(pidFile)
    })

    // The file is there before its first word has come back, so that the link breaks now before and now after that.
    test.each([1, 2, 3, 4])(
      'what a lost link left running as that user is ended when the link is back (%i)',
      async () => {
        const pidFile = join(sshd.root, 'shared/pid-lost')
        const service = as('service', sudo)
        const running = problemOf(service.sh`echo $$ > ${pidFile}; exec sleep 1000`)
        await until(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8').endsWith('\n'))
        const pid = Number(readFileSync(pidFile, 'utf8'))
        proxy.breakNow('reset')
        expect((await running).code).toBe('CONNECTION_LOST')
        await service.remove(pidFile)
        expect(isRunning(pid)).toBe(false)
      },
    )
  })

  test('a remembered password is not asked for, and nothing of it reaches the command', async () => {
    sshd.write(
      '/etc/sudoers',
      'Defaults !syslog, timestamp_timeout=5, timestamp_type=global\ndeploy ALL=(ALL) ALL\n',
    )
    const service = as('service', right)
    for (let at = 0; at < 3; at++)
      expect((await service.run('cat', [], { input: 'mine' })).stdout).toBe('mine')
  })

  describe('refused', () => {
    const cases: readonly (readonly [string, readonly string[], string, Host['sudo'], string, string])[] = [
      [
        'a password is needed and none is configured',
        [ALL],
        'service',
        undefined,
        'sudo asks for a password to become service, and none is configured',
        "sudo: { password: secret.env('SUDO_PASSWORD') }",
      ],
      [
        'the password is wrong',
        [ALL],
        'service',
        wrong,
        'sudo refused the password for service',
        'sudo.password',
      ],
      [
        'the login is not in sudoers',
        [],
        'service',
        right,
        'sudoers does not allow this login to run sh as service',
        'LOGIN ALL=(service) NOPASSWD: ALL',
      ],
      [
        'only single programs are allowed',
        ['deploy ALL=(service) /bin/true'],
        'service',
        right,
        'sudoers does not allow this login to run sh as service',
        'sudo -n -u service PROGRAM',
      ],
      [
        'there is no such user',
        [FREE],
        'nobody-at-all',
        undefined,
        'sudo does not know the user nobody-at-all',
        'Make it there',
      ],
      [
        'sudo wants a terminal',
        ['Defaults requiretty', FREE],
        'service',
        undefined,
        'sudo wants a terminal (requiretty) to become service',
        '.with({ pty: true })',
      ],
    ]
    test.each(cases)('%s: said at once, nothing runs', async (_, lines, user, sudo, message, hint) => {
      sudoers(...lines)
      const begun = performance.now()
      const problem = await problemOf(as(user, sudo).sh`touch ${join(sshd.root, 'shared/ran-anyway')}`)
      expect(problem).toMatchObject({ code: 'SUDO_REFUSED', kind: 'check' })
      expect(problem.details).toMatchObject({
        host: 'web1',
        retryable: false,
        command: { mayHaveRun: false },
      })
      expect(problem.message).toBe(`web1: ${message}`)
      expect(problem.details.hint).toContain(hint)
      expect(performance.now() - begun).toBeLessThan(15_000)
      expect(existsSync(join(sshd.root, 'shared/ran-anyway'))).toBe(false)
    })

    test('a wrong password is given once', async () => {
      writeFileSync(log(), '')
      sudoers(ALL)
      await problemOf(as('service', wrong).sh`true`)
      // Its log breaks long lines.
      const said = readFileSync(log(), 'utf8').replaceAll(/\s+/g, ' ')
      expect(said).toContain('1 incorrect password attempt')
      expect(said).not.toMatch(/[23] incorrect/)
    })

    test('there is no sudo', async () => {
      const bin = join(home, 'bin')
      mkdirSync(bin)
      for (const name of ['sh', 'dash']) symlinkSync('/bin/sh', join(bin, name))
      writeFileSync(join(home, '.bashrc'), `PATH=${bin}\n`)
      const problem = await problemOf(as('service').sh`true`)
      writeFileSync(join(home, '.bashrc'), '')
      expect(problem.message).toBe('web1: there is no sudo to become service with')
    })
  })

  test('with a terminal sudo is content, and asks for the password there', async () => {
    sudoers('Defaults requiretty, use_pty', ALL)
    const terminal = as('service', right).with({ pty: true })
    expect(await terminal.capture`id -un; [ -t 1 ] && echo terminal`).toBe('service\nterminal')
    expect(JSON.stringify(events)).not.toContain("pass'word")
  })
})

// root needs no password, so that this door needs no users of its own.
describe.runIf(possible && servicesFound('sudo'))('as another user on this machine', () => {
  test('commands are run by sudo, and a cancel ends them', async () => {
    const shells = createShells({ root: '/' })
    const stop = new AbortController()
    const lines: string[] = []
    const nobody = shells
      .local({
        signal: stop.signal,
        emit: (event) => event.type === 'command.output' && lines.push(event.line),
      })
      .with({ user: 'nobody' })
    expect(await nobody.capture`id -un`).toBe('nobody')
    expect((await nobody.run('cat', [], { input: 'in' })).stdout).toBe('in')
    const running = problemOf(nobody.sh`sleep 1000 & echo "pid $!"; wait`)
    await until(() => lines.some((line) => line.startsWith('pid ')))
    stop.abort()
    expect((await running).code).toBe('COMMAND_CANCELLED')
    expect(isRunning(Number(lines.find((line) => line.startsWith('pid '))?.slice(4)))).toBe(false)
  })
})
