import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Host } from '@deployfile/core'
import { createShells } from '@deployfile/shell'
import ssh2, { type AuthContext, type Connection as ServerSide, type ServerChannel } from 'ssh2'
import { hostNamed, shellOf } from './host.ts'
import { newKeyPair } from './key-pair.ts'

export interface ServerOptions {
  /** It has said its first line, and the handshake begins. */
  readonly onConnection?: () => void
  readonly onSession?: (client: ServerSide) => void
  /** Default: any key is let in. */
  readonly onAuthentication?: (context: AuthContext) => void
}

/** A server in this process, for what OpenSSH will not do. Whatever a client says to it after the key exchange is written down. */
export interface InProcessServer {
  readonly port: number
  /** `ssh-ed25519 AAAA…` */
  readonly publicKeys: readonly string[]
  readonly heard: string[]
  close(): Promise<void>
}

export async function startServer(
  types: readonly ('ed25519' | 'rsa')[],
  options: ServerOptions = {},
): Promise<InProcessServer> {
  const keys = types.map((type) => newKeyPair(type))
  const heard: string[] = []
  const admit = (context: AuthContext): void => {
    if (context.method === 'publickey') context.accept()
    else context.reject(['publickey'])
  }
  const server = new ssh2.Server({ hostKeys: keys.map((key) => key.private) }, (client) => {
    options.onConnection?.()
    client.on('authentication', (context) => {
      heard.push(`authentication ${context.method}`)
      ;(options.onAuthentication ?? admit)(context)
    })
    client.on('ready', () => options.onSession?.(client))
    client.on('error', () => undefined)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    publicKeys: keys.map((key) => key.public.split(' ').slice(0, 2).join(' ')),
    heard,
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
}

/** A folder with a key to log in with, and where known_hosts would be. */
export interface Desk {
  readonly folder: string
  readonly knownHosts: string
}

export function makeDesk(parent: string, name: string): Desk {
  const folder = join(parent, name)
  mkdirSync(folder)
  writeFileSync(join(folder, 'id'), newKeyPair().private, { mode: 0o600 })
  return { folder, knownHosts: join(folder, 'known_hosts') }
}

export interface Way {
  /** Further lines of ssh_config, indented. */
  readonly config?: string
  readonly host?: Partial<Host>
  readonly notify?: (message: string) => void
  readonly signal?: AbortSignal
}

export function shellTo(
  { port }: Pick<InProcessServer, 'port'>,
  { folder, knownHosts }: Desk,
  way: Way = {},
) {
  const config = join(folder, 'ssh_config')
  writeFileSync(
    config,
    `Host *
  User deploy
  Port ${String(port)}
  IdentityFile "${folder}/id"
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile "${knownHosts}"
  GlobalKnownHostsFile /dev/null
${way.config ?? ''}`,
  )
  const shells = createShells({ root: folder, sshConfig: config, ...(way.notify && { notify: way.notify }) })
  const host = hostNamed('web1', { address: '127.0.0.1', ...way.host })
  return { shell: shellOf(shells, host, way.signal), close: () => shells.close() }
}

/** Sessions that answer every command by `reply`. */
export function answering(reply: (channel: ServerChannel) => void): (client: ServerSide) => void {
  return (client) => {
    client.on('session', (accept) => {
      accept().on('exec', (acceptExec, _reject, { command }) => {
        const channel = acceptExec()
        // What the command's own sh would say first, by which it is known to have been started.
        const mark = /DEPLOYFILE_COMMAND=([0-9a-f]{16})/.exec(command)?.[1] ?? ''
        channel.write(`${mark} 1  /bin/sh\n`)
        reply(channel)
      })
    })
  }
}

/** Runs every command on this machine. */
export function runCommands(client: ServerSide): void {
  client.on('session', (accept) => {
    accept().on('exec', (acceptExec, _reject, { command }) => {
      const channel = acceptExec()
      const child = spawn('/bin/sh', ['-c', command], { env: { PATH: '/usr/local/bin:/usr/bin:/bin' } })
      channel.pipe(child.stdin)
      child.stdin.on('error', () => undefined)
      child.stdout.pipe(channel, { end: false })
      child.stderr.pipe(channel.stderr, { end: false })
      channel.on('close', () => child.kill())
      child.on('close', (code) => {
        channel.exit(code ?? 255)
        channel.end()
      })
    })
  })
}

export const fingerprintOf = (publicKey: string): string =>
  execFileSync('ssh-keygen', ['-lf', '-'], { input: `${publicKey}\n`, encoding: 'utf8' }).split(' ')[1] ?? ''
