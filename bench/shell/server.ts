// One real sshd on this machine, and the two ways to it: ours, and the ssh binary as a person would type it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Host, Shell } from '@deployfile/core'
import { createShells } from '@deployfile/shell'
import { startSshd } from '../../test/servers/sshd.ts'

export interface Server extends AsyncDisposable {
  /** What is on "the other side". */
  readonly there: string
  /** What is on this one; relative paths of transfers start here. */
  readonly here: string
  readonly shell: Shell
  /** Arguments for the ssh binary that lead to the same place: `ssh <these> 'command'`. */
  readonly ssh: readonly string[]
}

export async function startServer(): Promise<Server> {
  // No forced command: its script would cost both sides a process for each command.
  const sshd = await startSshd({ name: 'bench', config: ['ForceCommand none'] })
  const [here, there] = [join(sshd.root, 'here'), sshd.home]
  mkdirSync(here)
  const knownHosts = join(here, 'known_hosts')
  const config = join(here, 'ssh_config')
  writeFileSync(knownHosts, `${sshd.knownHostsLine}\n`)
  writeFileSync(config, sshd.sshConfig(knownHosts))
  const shells = createShells({ root: here, sshConfig: config })
  const host: Host = {
    name: 'bench',
    stage: 'bench',
    roles: [],
    transport: 'ssh',
    address: 'bench',
    primary: true,
    props: {},
  }
  const shell = shells
    .remote(host, { signal: new AbortController().signal, emit: () => undefined })
    // Without the forced command it would be the home of whoever runs this.
    .with({ cwd: there })
  return {
    there,
    here,
    shell,
    ssh: ['-F', config, '-o', 'BatchMode=yes', 'bench'],
    async [Symbol.asyncDispose]() {
      await shells.close()
      await sshd.stop()
    },
  }
}

/** A line for bash, as a person would type it; fails when anything in it does. */
export async function typed(line: string): Promise<void> {
  const child = spawn('bash', ['-euo', 'pipefail', '-c', line], { stdio: ['ignore', 'ignore', 'inherit'] })
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`exit code ${code}: ${line}`)
}
