// `npm run bench:shell [-- rounds]`: connecting and short commands, beside the ssh binary and, where Ruby has it, net-ssh.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Host, Shell, ShellProvider } from '@deployfile/core'
import { createShells } from '@deployfile/shell'
import { startSshd } from '../../test/servers/sshd.ts'
import { type Contender, compare, print } from './ratio.ts'

const ROUNDS = Number(process.argv[2] ?? 5)
const COMMANDS = 100
const HOSTS = 50
const OPEN = 200

// No forced command: its script would cost both sides a process for each command.
// Nor a line of log for each command, which this program would have to read.
await using sshd = await startSshd({ name: 'bench', config: ['ForceCommand none', 'LogLevel INFO'] })
const here = join(sshd.root, 'here')
mkdirSync(here)
const config = join(here, 'ssh_config')
const knownHosts = join(here, 'known_hosts')
writeFileSync(knownHosts, `${sshd.knownHostsLine}\n`)
// Every name is this host, and all are configured alike, as machines of one kind are.
writeFileSync(config, sshd.sshConfig(knownHosts).replace('Host bench', 'Host bench*'))

const open = (): ShellProvider => createShells({ root: here, sshConfig: config })
const shellOf = (shells: ShellProvider, name: string): Shell => {
  const host: Host = {
    name,
    stage: 'bench',
    roles: [],
    transport: 'ssh',
    address: name,
    primary: false,
    props: {},
  }
  return shells.remote(host, { signal: new AbortController().signal, emit: () => undefined })
}
const ssh = async (name: string, ...options: readonly string[]): Promise<void> => {
  const args = ['-F', config, '-o', 'BatchMode=yes', ...options, name, 'true']
  const child = spawn('ssh', args, { stdio: 'ignore' })
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`ssh ${args.join(' ')}: exit code ${String(code)}`)
}

// ssh2 is loaded once in a process; its fifth of a second is not what connecting costs.
const warm = open()
await shellOf(warm, 'bench').sh`true`
await warm.close()

print(
  'connect, one command, hang up',
  await compare(ROUNDS * 3, [
    { name: 'ssh bench true', run: () => ssh('bench') },
    {
      name: 'ours',
      async run() {
        const shells = open()
        await shellOf(shells, 'bench').sh`true`
        await shells.close()
      },
    },
  ]),
)

const shells = open()
const remote = shellOf(shells, 'bench')
await remote.sh`true`
const socket = join(here, 'master')
const master = spawn('ssh', ['-F', config, '-M', '-N', '-S', socket, 'bench'], { stdio: 'ignore' })
while (
  spawnSync('ssh', ['-F', config, '-S', socket, '-O', 'check', 'bench'], { stdio: 'ignore' }).status !== 0
);
const netSsh = await startNetSsh()
const contenders: Contender[] = [
  {
    name: 'ssh over ControlMaster',
    pid: master.pid,
    async run() {
      for (let at = 0; at < COMMANDS; at++) await ssh('bench', '-S', socket)
    },
  },
  {
    name: 'ours',
    async run() {
      for (let at = 0; at < COMMANDS; at++) await remote.sh`true`
    },
  },
]
print(`${String(COMMANDS)} commands one after the other, connected`, await compare(ROUNDS, contenders))
if (netSsh) {
  const [, ours] = contenders
  const peer: Contender = {
    name: 'net-ssh (Capistrano)',
    pid: netSsh.child.pid,
    run: () => netSsh.run(COMMANDS),
  }
  print(`the same beside net-ssh`, await compare(ROUNDS, [peer, ...(ours ? [ours] : [])]))
} else console.log('  (no Ruby with net-ssh here: apt-get install --no-install-recommends ruby-net-ssh)')
netSsh?.child.kill()
master.kill()
await shells.close()

const names = Array.from({ length: HOSTS }, (_, at) => `bench${String(at)}`)
const fan = await compare(
  ROUNDS,
  [
    {
      name: `${String(HOSTS)} ssh processes, a loop`,
      async run() {
        for (const name of names) await ssh(name)
      },
    },
    {
      name: `${String(HOSTS)} ssh processes at once`,
      async run() {
        await Promise.all(names.map((name) => ssh(name)))
      },
    },
    {
      name: 'ours',
      async run() {
        const shells = open()
        await Promise.all(names.map((name) => shellOf(shells, name).sh`true`))
        await shells.close()
      },
    },
  ],
  sshd.pid,
)
print(`${String(HOSTS)} hosts connected and asked`, fan)
// Elsewhere a deployment's hosts bring processors of their own; here their share is part of both sides' time.
for (const { name, cpu, server } of fan) {
  const [here, there] = [cpu, server].map((all) => (all / HOSTS).toFixed(1))
  console.log(
    `  each host, ${name}: ${here ?? ''} ms CPU on this side, ${there ?? ''} ms in sshd and its shell`,
  )
}

const many = open()
const weight = (): number => {
  globalThis.gc?.()
  return process.memoryUsage.rss()
}
const before = weight()
await Promise.all(Array.from({ length: OPEN }, (_, at) => shellOf(many, `bench${String(at)}`).sh`true`))
const each = (weight() - before) / OPEN
await many.close()
console.log(`\n${String(OPEN)} open connections: ${(each / 1000).toFixed(0)} kB RSS each`)

interface NetSsh {
  readonly child: ChildProcess
  run(times: number): Promise<void>
}

/** A Ruby that is connected already and runs `true` as often as it is told, one after the other. */
async function startNetSsh(): Promise<NetSsh | undefined> {
  if (spawnSync('ruby', ['-e', "require 'net/ssh'"], { stdio: 'ignore' }).status !== 0) return undefined
  const script = `require 'net/ssh'
$stdout.sync = true
options = { port: ${String(sshd.port)}, keys: ['${sshd.privateKeyPath}'], keys_only: true, config: false,
  user_known_hosts_file: '${knownHosts}', use_agent: false }
Net::SSH.start('127.0.0.1', '${sshd.user}', options) do |ssh|
  puts 'ready'
  while line = $stdin.gets
    line.to_i.times { ssh.exec!('true') }
    puts 'done'
  end
end`
  const child = spawn('ruby', ['-e', script], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })
  await once(lines, 'line')
  return {
    child,
    async run(times) {
      child.stdin.write(`${String(times)}\n`)
      await once(lines, 'line')
    },
  }
}
