import { resolve } from 'node:path'
import {
  type AskHidden,
  type Host,
  provideSecretReader,
  type ShellProvider,
  type ShellScope,
} from '@deployfile/core'
import { createShared } from './command/shared.ts'
import { localTransport } from './local/local.ts'
import { createSecretReader } from './secret/read-secrets.ts'
import { createShell } from './shell.ts'
import { type FilesMemory, newMemory } from './transfer/files.ts'
import type { Transport } from './transport.ts'

export interface ShellsOptions {
  /** The folder of deploy.config.ts: where this machine's commands and relative paths start. */
  readonly root: string
  /** A file to read in place of ~/.ssh/config and /etc/ssh/ssh_config. Default: the variable DEPLOYFILE_SSH_CONFIG, else those. */
  readonly sshConfig?: string
  /**
   * Asks for the passphrase of a key, once for each key, and for secrets that are prompts. Default: a key with a passphrase must be in
   * an agent; secrets are asked for on the terminal, and everything waits meanwhile.
   */
  readonly askHidden?: AskHidden
  /** Told of what a person should know though nothing failed: a new host key was added to known_hosts. Default: nobody. */
  readonly notify?: (message: string) => void
}

export interface Shells extends ShellProvider {
  /**
   * Hosts that are going to be used, the first ones first. Nothing is connected to before the first of them is used over SSH; then all
   * are, so that nobody waits for them one after the other. One that cannot be reached fails what uses it, and nothing else.
   */
  expect(hosts: readonly Host[]): void
}

const here: Host = {
  name: 'localhost',
  stage: '',
  roles: [],
  transport: 'local',
  address: 'localhost',
  primary: false,
  props: {},
}

/** Shells of one run: hosts over SSH, hosts that are folders here (`transport: 'local'`), and this machine. */
export function createShells(options: ShellsOptions): Shells {
  const root = resolve(options.root)
  const shared = createShared()
  provideSecretReader(createSecretReader(root), options.askHidden)
  const memories = new Map<string, FilesMemory>()
  const memoryOf = ({ transport, address, user, port, root }: Host): FilesMemory => {
    const place = JSON.stringify([transport, address, user, port, root])
    const memory = memories.get(place) ?? newMemory()
    memories.set(place, memory)
    return memory
  }
  const open = (transport: Transport, scope: ShellScope) =>
    createShell({ transport, scope, shared, root, defaults: {}, memory: memoryOf(transport.host) })

  const config = options.sshConfig ?? process.env['DEPLOYFILE_SSH_CONFIG']
  const configFile = config === undefined || config === '' ? undefined : resolve(root, config)
  // ssh2 takes a fifth of a second to load, and a run on this machine alone needs none of it.
  let ssh: ReturnType<typeof loadSsh> | undefined
  const expected: Host[] = []
  const loadSsh = async () => {
    const [{ createPool }, { sshTransport }] = await Promise.all([
      import('./ssh/pool.ts'),
      import('./ssh/ssh-shell.ts'),
    ])
    const pool = createPool({
      configFile,
      askHidden: options.askHidden,
      notify: options.notify ?? (() => undefined),
    })
    const ahead = (hosts: readonly Host[]): void => {
      // Who uses it is told what is wrong.
      for (const host of hosts) pool.connection(host).catch(() => undefined)
    }
    return { transport: (host: Host) => sshTransport(host, pool), ahead, close: () => pool.close() }
  }
  const overSsh = (host: Host): Transport => {
    let transport: ReturnType<Awaited<ReturnType<typeof loadSsh>>['transport']> | undefined
    const own = async () => {
      const { transport: open, ahead } = await (ssh ??= loadSsh())
      transport ??= open(host)
      if (expected.length > 0) ahead([host, ...expected.splice(0)])
      return transport
    }
    return {
      host,
      start: async (compose, signal, urgent) => (await own()).start(compose, signal, urgent),
      learn: (shell) => transport?.learn(shell),
      connect: async (signal) => (await own()).connect(signal),
      dial: async (...call) => (await own()).dial(...call),
      attach: async (start, signal) => (await own()).attach(start, signal),
      sftp: async (signal) => (await own()).sftp(signal),
    }
  }
  return {
    remote(host, scope) {
      const here = host.transport === 'local'
      return open(here ? localTransport(host, resolve(root, host.root ?? '.')) : overSsh(host), scope)
    },
    expect(hosts) {
      expected.push(...hosts.filter(({ transport }) => transport === 'ssh'))
    },
    local: (scope) => open(localTransport(here, root), scope),
    async close() {
      await Promise.all([...shared.forwardings].map((one) => one.close()))
      await (await ssh)?.close()
    },
  }
}
