import { resolve } from 'node:path'
import { type Host, Problem, type ShellProvider, type ShellScope } from '@deployfile/core'
import type { Voice } from './command/perform.ts'
import { localTransport } from './local/local.ts'
import { createShell } from './shell.ts'
import type { Transport } from './transport.ts'

export interface ShellsOptions {
  /** The folder of deploy.config.ts: where this machine's commands and relative paths start. */
  readonly root: string
  /** Hides secrets in events and messages. Default: changes nothing. */
  readonly redact?: (text: string) => string
  /** A file to read in place of ~/.ssh/config and /etc/ssh/ssh_config. Default: the variable DEPLOYFILE_SSH_CONFIG, else those. */
  readonly sshConfig?: string
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
export function createShells(options: ShellsOptions): ShellProvider {
  const root = resolve(options.root)
  let commands = 0
  const voice: Voice = { next: () => ++commands, redact: options.redact ?? ((text) => text) }
  const open = (transport: Transport, scope: ShellScope) =>
    createShell({ transport, scope, voice, root, defaults: {} })
  return {
    remote(host, scope) {
      if (host.transport === 'local')
        return open(localTransport(host, resolve(root, host.root ?? '.')), scope)
      throw new Problem('usage', 'SSH', 'not yet')
    },
    local: (scope) => open(localTransport(here, root), scope),
    async close() {},
  }
}
