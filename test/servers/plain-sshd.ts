import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { endMarkedProcesses } from './marked-processes.ts'
import { startOwnProcess } from './own-process.ts'
import { withFreePort } from './port.ts'
import { requireService } from './service.ts'
import { makeSshKey } from './ssh-keys.ts'
import { tempFolder } from './temp.ts'

export interface PlainSshdOptions {
  /** Of the login. Default /bin/bash, which reads ~/.bashrc when sshd starts it. */
  readonly shell?: string
  /** Further lines of sshd_config. */
  readonly config?: readonly string[]
  /** Files that the server and its logins see in place of the machine's, by path. Only root's tests can have them. */
  readonly files?: Readonly<Record<string, { readonly content: string; readonly mode: number }>>
  /** Lines of passwd for further users. */
  readonly users?: readonly string[]
  /** Addresses of the loopback net to listen on; default 127.0.0.1. */
  readonly addresses?: readonly string[]
}

/** An sshd as it is delivered, with its own limits, and a login like any other. */
export interface PlainSshd extends AsyncDisposable {
  readonly port: number
  readonly user: string
  /** Undefined where nobody else's home could be given to the login: then it is the real one, and nothing may be written there. */
  readonly home: string | undefined
  readonly root: string
  readonly privateKeyPath: string
  /** `ssh-ed25519 AAAA…` */
  readonly hostKey: string
  readonly hostKeyFingerprint: string
  /** Rewrites one of `files`, for all who see it. */
  write(path: string, content: string): void
  /** What sshd has said. */
  log(): string
}

const MARK = 'DEPLOYFILE_TEST_HOST'
const NAME = 'deploy'

/**
 * A real OpenSSH server with the limits it comes with (MaxStartups 10:30:100, MaxSessions 10) and no forced command, for an ordinary
 * user: one that is only in a passwd of its own, which the server alone sees (a mount namespace; as root, and for others inside a user
 * namespace). Where the system forbids namespaces it is who runs the test, or with root's rights a package's user that has a shell.
 */
export async function startPlainSshd(options: PlainSshdOptions = {}): Promise<PlainSshd> {
  const program = requireService('sshd')
  const folder = tempFolder('plain')
  const root = folder.path
  // The login is somebody else and has to get to its home.
  chmodSync(root, 0o711)
  try {
    const hostKey = makeSshKey(join(root, 'host_key'))
    const identity = makeSshKey(join(root, 'identity'))
    writeFileSync(join(root, 'authorized_keys'), `${identity.publicKey}\n`, { mode: 0o644 })
    const mounts = writeMounts(root, options.files ?? {})
    const login = makeLogin(root, options.shell ?? '/bin/bash', options.users ?? [], mounts)
    if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
    const { port, server } = await withFreePort(async (port) => {
      const file = join(root, 'sshd_config')
      const addresses = options.addresses ?? ['127.0.0.1']
      writeFileSync(
        file,
        [
          ...(options.config ?? []),
          `Port ${port}`,
          ...addresses.map((address) => `ListenAddress ${address}`),
          `HostKey "${root}/host_key"`,
          'PidFile none',
          'LogLevel VERBOSE',
          'UsePAM no',
          'UseDNS no',
          'StrictModes no',
          `AuthorizedKeysFile "${root}/authorized_keys"`,
          `SetEnv "${MARK}=${root}"`,
          '',
        ].join('\n'),
      )
      const [command = program, ...args] = login.enter.concat(program, '-D', '-e', '-f', file)
      return {
        port,
        server: await startOwnProcess({
          program: command,
          args,
          ready: new RegExp(`Server listening on ${addresses.at(-1)?.replaceAll('.', '\\.') ?? ''}`),
          stopSignal: 'SIGTERM',
          folder: root,
        }),
      }
    })
    return {
      port,
      user: login.user,
      home: login.home,
      root,
      privateKeyPath: identity.privateKeyPath,
      hostKey: hostKey.publicKey,
      hostKeyFingerprint: hostKey.fingerprint,
      write: (path, content) => writeFileSync(mounts.get(path) ?? path, content),
      log: () => server.log(),
      async [Symbol.asyncDispose]() {
        await server.stop()
        await endMarkedProcesses(MARK, root, server.pid)
        await folder.remove()
      },
    }
  } catch (error) {
    await folder.remove()
    throw error
  }
}

interface LoginUser {
  readonly user: string
  readonly home: string | undefined
  /** What starts a program where this user is known. */
  readonly enter: readonly string[]
}

/** By the path that they are seen at: where they are. */
function writeMounts(
  root: string,
  files: NonNullable<PlainSshdOptions['files']>,
): ReadonlyMap<string, string> {
  const mounts = new Map<string, string>()
  for (const [path, { content, mode }] of Object.entries(files)) {
    const file = join(root, `mount-${String(mounts.size)}`)
    writeFileSync(file, content)
    chmodSync(file, mode)
    mounts.set(path, file)
  }
  return mounts
}

function makeLogin(
  root: string,
  shell: string,
  users: readonly string[],
  mounts: ReadonlyMap<string, string>,
): LoginUser {
  const passwd = readFileSync('/etc/passwd', 'utf8')
  const others = passwd.split('\n').filter((line) => line !== '' && !line.startsWith(`${NAME}:`))
  const taken = new Set(others.map((line) => Number(line.split(':')[2])))
  const isRoot = process.getuid?.() === 0
  let uid = isRoot ? 54_321 : userInfo().uid
  while (isRoot && taken.has(uid)) uid++
  const gid = isRoot ? uid : userInfo().gid
  const home = join(root, 'home')
  mkdirSync(home, { mode: 0o755 })
  if (isRoot) chownSync(home, uid, gid)
  // Of two names for a number the first counts.
  const own = `${NAME}:x:${uid}:${gid}::${home}:${shell}`
  writeFileSync(join(root, 'passwd'), [own, ...users, ...others, ''].join('\n'), { mode: 0o644 })
  const enter = namespace(new Map([...mounts, ['/etc/passwd', join(root, 'passwd')]]), isRoot)
  if (spawnSync(enter[0] ?? '', [...enter.slice(1), 'true'], { stdio: 'ignore' }).status === 0)
    return { user: NAME, home, enter }
  if (!isRoot) return { user: userInfo().username, home: undefined, enter: [] }
  const packaged = others.map((line) => line.split(':')).find((parts) => isOrdinary(parts))
  if (!packaged?.[0])
    throw new Error(
      'no ordinary user to log in as: namespaces are forbidden here, and no user but root has a shell',
    )
  return { user: packaged[0], home: undefined, enter: [] }
}

/** The command comes after it, and keeps the pid. */
function namespace(mounts: ReadonlyMap<string, string>, isRoot: boolean): string[] {
  const binds = [...mounts].map(([path, file]) => `mount --bind '${file}' '${path}' && `)
  const script = `${binds.join('')}exec "$@"`
  const own = isRoot
    ? ['--mount', '--propagation', 'private']
    : ['--user', '--mount', '--map-current-user', '--keep-caps']
  const drop = isRoot ? [] : ['setpriv', '--inh-caps=-all', '--ambient-caps=-all']
  return ['/usr/bin/unshare', ...own, 'sh', '-c', script, 'sh', ...drop]
}

function isOrdinary([, , uid, , , , shell]: readonly string[]): boolean {
  return Number(uid) > 0 && /\/(ba|da|z|k)?sh$/.test(shell ?? '')
}
