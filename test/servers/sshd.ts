import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { basename, join } from 'node:path'
import { endMarkedProcesses, signalMarkedProcesses } from './marked-processes.ts'
import { startOwnProcess } from './own-process.ts'
import { withFreePort } from './port.ts'
import { requireService } from './service.ts'
import { makeSshKey, type SshKey } from './ssh-keys.ts'
import { tempFolder } from './temp.ts'

export interface SshdOptions {
  /** Where the host's folder is made; default: the system's temp directory. */
  readonly hostsDir?: string
  /** Default: the name of its folder. */
  readonly name?: string
  /** The key that may log in, so that several hosts can share one; default: a key of this host's own. */
  readonly identity?: SshKey
  /** Further lines of sshd_config; sshd obeys the first of two that contradict, and these come first. */
  readonly config?: readonly string[]
}

/** One host: its own sshd, and its own home and temp folder for all that is run through it. */
export interface SshHost extends AsyncDisposable {
  readonly name: string
  readonly address: '127.0.0.1'
  readonly port: number
  readonly user: string
  readonly pid: number
  /** The folder that is removed at the end; it holds all the others. */
  readonly root: string
  /** `~` and `$HOME` of every command, and where it starts. */
  readonly home: string
  /** `$TMPDIR` of every command. */
  readonly tmp: string
  readonly identity: SshKey
  readonly privateKeyPath: string
  readonly hostKeyFingerprint: string
  /** For a known_hosts file, without a line end. */
  readonly knownHostsLine: string
  /** A block for an ssh_config file that makes `ssh <name>` work; `knownHosts` is the path of that file. */
  sshConfig(knownHosts: string): string
  /** What sshd has said, one line an event. */
  log(): string
  /** Cuts every connection and ends what runs through them; the server itself goes on. */
  disconnect(): Promise<void>
  /** Stops the server and all that runs through it, as a machine hangs: its kernel goes on taking connections. Until `thaw()`. */
  freeze(): void
  thaw(): void
  stop(): Promise<void>
}

/** A real OpenSSH server on a private port of the loopback address; it lets in who runs the test, by key. */
export async function startSshd(options: SshdOptions = {}): Promise<SshHost> {
  const program = requireService('sshd')
  const folder = tempFolder('host', options.hostsDir ?? tmpdir())
  const root = folder.path
  try {
    const home = subfolder(root, 'home')
    const tmp = subfolder(root, 'tmp')
    const hostKey = makeSshKey(join(root, 'host_key'))
    const identity = options.identity ?? makeSshKey(join(root, 'identity'))
    writeFileSync(join(root, 'authorized_keys'), `${identity.publicKey}\n`, { mode: 0o600 })
    writeFileSync(join(root, 'enter'), enterScript(home, tmp), { mode: 0o755 })
    preparePrivilegeSeparation()

    const { port, server } = await withFreePort(async (port) => {
      const file = join(root, 'sshd_config')
      writeFileSync(file, sshdConfig(program, root, port, options.config ?? []))
      const args = ['-D', '-e', '-f', file]
      return {
        port,
        server: await startOwnProcess({
          program,
          args,
          ready: /Server listening on/,
          stopSignal: 'SIGTERM',
          folder: root,
        }),
      }
    })
    const name = options.name ?? basename(root)
    const user = userInfo().username
    const disconnect = (): Promise<void> => endMarkedProcesses(MARK, root, server.pid)
    const signal = (name: NodeJS.Signals): void => signalMarkedProcesses(MARK, root, server.pid, name)
    const stop = async (): Promise<void> => {
      signal('SIGCONT')
      // The server first, so that nobody comes in while those inside are shown out.
      await server.stop()
      await disconnect()
      await folder.remove()
    }
    return {
      name,
      address: '127.0.0.1',
      port,
      user,
      pid: server.pid,
      root,
      home,
      tmp,
      identity,
      privateKeyPath: identity.privateKeyPath,
      hostKeyFingerprint: hostKey.fingerprint,
      knownHostsLine: `[127.0.0.1]:${port} ${hostKey.publicKey}`,
      sshConfig: (knownHosts) =>
        [
          `Host ${name}`,
          '  HostName 127.0.0.1',
          `  Port ${port}`,
          `  User ${user}`,
          `  IdentityFile "${identity.privateKeyPath}"`,
          '  IdentitiesOnly yes',
          `  UserKnownHostsFile "${knownHosts}"`,
          '  GlobalKnownHostsFile /dev/null',
          '',
        ].join('\n'),
      log: () => server.log(),
      disconnect,
      freeze: () => signal('SIGSTOP'),
      thaw: () => signal('SIGCONT'),
      stop,
      [Symbol.asyncDispose]: stop,
    }
  } catch (error) {
    await folder.remove()
    throw error
  }
}

const MARK = 'DEPLOYFILE_TEST_HOST'

function subfolder(root: string, name: string): string {
  const path = join(root, name)
  mkdirSync(path, { mode: 0o700 })
  return path
}

function sshdConfig(program: string, root: string, port: number, first: readonly string[]): string {
  return [
    ...first,
    'ListenAddress 127.0.0.1',
    `Port ${port}`,
    `HostKey "${root}/host_key"`,
    'PidFile none',
    'LogLevel VERBOSE',
    'UsePAM no',
    'AuthenticationMethods publickey',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin prohibit-password',
    `AuthorizedKeysFile "${root}/authorized_keys"`,
    // The temp directory is writable by all, which strict modes would refuse.
    'StrictModes no',
    'UseDNS no',
    'PrintMotd no',
    'PrintLastLog no',
    'AcceptEnv LANG LC_*',
    'MaxStartups 100',
    ...(banishes(program) ? ['PerSourcePenalties no'] : []),
    `Subsystem sftp ${sftpServer()}`,
    // The login shell runs the forced command and would read the rc file of the real home: it gets an empty one.
    `SetEnv "HOME=${subfolderOnce(root, 'empty')}" "${MARK}=${root}"`,
    `ForceCommand "${root}/enter"`,
    '',
  ].join('\n')
}

/**
 * Runs what the client asked for as sshd itself would, but in the host's own home: the login shell with `-c`, a login shell
 * when nothing was asked for, and the sftp server for its subsystem. Always by exec, so that signals and exit codes are real.
 */
function enterScript(home: string, tmp: string): string {
  return `#!/bin/sh
export HOME='${home}' TMPDIR='${tmp}'
# bash reads ~/.bashrc for sshd's commands only at the outermost level.
unset SHLVL OLDPWD
cd "$HOME" || exit 1
if [ -z "\${SSH_ORIGINAL_COMMAND+set}" ]; then exec "$SHELL" -l; fi
command=$SSH_ORIGINAL_COMMAND
unset SSH_ORIGINAL_COMMAND
if [ "$command" = '${sftpServer()}' ]; then exec '${sftpServer()}' -d "$HOME"; fi
exec "$SHELL" -c "$command"
`
}

/** sshd's internal-sftp starts in the real home, which a forced command can't change; its outer twin can be told. */
function sftpServer(): string {
  const paths = [
    '/usr/lib/openssh/sftp-server',
    '/usr/libexec/openssh/sftp-server',
    '/usr/libexec/sftp-server',
    '/usr/lib/ssh/sftp-server',
  ]
  const path = paths.find((candidate) => existsSync(candidate))
  if (path === undefined)
    throw new Error('sftp-server is not on this machine: apt-get install openssh-sftp-server')
  return path
}

function subfolderOnce(root: string, name: string): string {
  const path = join(root, name)
  mkdirSync(path, { recursive: true })
  return path
}

/** Since 9.8 sshd shuts out an address that fails to log in, which here is every test of a refused login. */
function banishes(program: string): boolean {
  const { stderr } = spawnSync(program, ['-V'], { encoding: 'utf8' })
  const [, major = '0', minor = '0'] = /OpenSSH_(\d+)\.(\d+)/.exec(stderr) ?? []
  return Number(major) * 100 + Number(minor) >= 908
}

/** Debian's service makes this folder at boot; without the service it is not there, and root's sshd refuses to start. */
function preparePrivilegeSeparation(): void {
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
}
