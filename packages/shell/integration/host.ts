import { mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CommandEvent, Host, Shell, ShellProvider } from '@deployfile/core'
import { createShells } from '@deployfile/shell'
import { startSshd, type SshdOptions, type SshHost } from '../../../test/servers/sshd.ts'

export interface Site extends AsyncDisposable {
  readonly sshd: SshHost
  /** Where transfers start on this side. */
  readonly here: string
  readonly knownHosts: string
  readonly config: string
  readonly shells: ShellProvider
}

/** A real sshd and a provider that knows its key. */
export async function startSite(options: SshdOptions = {}): Promise<Site> {
  const sshd = await startSshd({ name: 'web1', ...options })
  const here = join(realpathSync(sshd.root), 'here')
  mkdirSync(here)
  const knownHosts = join(here, 'known_hosts')
  const config = join(here, 'ssh_config')
  writeFileSync(knownHosts, `${sshd.knownHostsLine}\n`)
  writeFileSync(config, sshd.sshConfig(knownHosts))
  const shells = createShells({ root: here, sshConfig: config })
  return {
    sshd,
    here,
    knownHosts,
    config,
    shells,
    async [Symbol.asyncDispose]() {
      await shells.close()
      await sshd.stop()
    },
  }
}

export function hostNamed(name: string, more: Partial<Host> = {}): Host {
  return {
    name,
    stage: 'production',
    roles: ['web'],
    transport: 'ssh',
    address: name,
    primary: true,
    props: {},
    ...more,
  }
}

export function shellOf(
  shells: ShellProvider,
  host: Host,
  signal: AbortSignal = new AbortController().signal,
  emit: (event: CommandEvent) => void = () => undefined,
): Shell {
  return shells.remote(host, { signal, emit })
}
