// `npm run bench:deploy [-- hosts rounds]`: a warm deploy from the start of the process to its end, beside a hand-written script and,
// where it is installed, Capistrano. Every run is checked: each host serves the new commit.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { makeGitServer } from '../../test/servers/git.ts'
import { makeSshKey } from '../../test/servers/ssh-keys.ts'
import { startSshd, type SshHost } from '../../test/servers/sshd.ts'
import { tempFolder } from '../../test/servers/temp.ts'
import { compare, print } from '../shell/ratio.ts'
import { writeProjects } from './project.ts'
import { SCRIPT } from './script.ts'

const COUNTS = (process.argv[2] ?? '1,5,20').split(',').map(Number)
const ROUNDS = Number(process.argv[3] ?? 5)
const FILES = 3_000
const BYTES = 8_700

const folder = tempFolder('bench-deploy')
const root = folder.path
const content = (): string => randomBytes(BYTES / 2).toString('hex')
const git = makeGitServer()
const names = Array.from(
  { length: FILES },
  (_, at) => `src/folder-${String(at % 100)}/file-${String(at)}.txt`,
)
git.commit(Object.fromEntries(names.map((name) => [name, content()])))

const identity = makeSshKey(join(root, 'identity'))
// The hosts' disks are not this machine's: its own would wait for theirs whenever the log of a run is brought to it.
const hostsDir = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
const hosts: SshHost[] = []
for (let at = 1; at <= Math.max(...COUNTS); at++)
  hosts.push(await startSshd({ name: `web${String(at)}`, identity, hostsDir }))
const [sshConfig, knownHosts] = [join(root, 'ssh_config'), join(root, 'known_hosts')]
writeFileSync(sshConfig, hosts.map((host) => host.sshConfig(knownHosts)).join('\n'))
writeFileSync(knownHosts, hosts.map((host) => `${host.knownHostsLine}\n`).join(''))
writeFileSync(join(root, 'deploy.sh'), SCRIPT)
// The package as it is published: its code in a few files is what people run.
const modules = join(root, 'node_modules')
const { stageModules } = (await import(pathToFileURL(resolve('scripts/pack/project.mjs')).href)) as {
  stageModules: (root: string, modules: string) => Promise<void>
}
await stageModules(resolve('.'), modules)

const env = {
  ...{ PATH: process.env['PATH'], HOME: root, USER: 'developer', LC_ALL: 'C.UTF-8' },
  DEPLOYFILE_SSH_CONFIG: sshConfig,
}
let peak = 0

/** Runs a program to its end, and remembers the most memory that its process has had. */
async function run(cwd: string, program: string, args: readonly string[]): Promise<void> {
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  const look = setInterval(() => {
    const status = existsSync(`/proc/${String(child.pid)}/status`)
      ? readFileSync(`/proc/${String(child.pid)}/status`, 'utf8')
      : ''
    peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1000)
  }, 20)
  const [code] = (await once(child, 'close')) as [number | null]
  clearInterval(look)
  if (code !== 0) throw new Error(`${program} ${args.join(' ')}: exit code ${String(code)}\n${said}`)
}

/** Commands that sshd has started so far, on one host. */
const commands = (host: SshHost | undefined): number => host?.log().match(/Starting session: /g)?.length ?? 0

try {
  for (const count of COUNTS) {
    const some = hosts.slice(0, count)
    const project = join(root, `with-${String(count)}`)
    writeProjects(project, git.repository, sshConfig, some, modules)
    let changes = 0
    const commit = (): void => {
      const changed = names.slice(0, 7).map((name) => [name, `${String(++changes)} ${content()}`])
      git.commit(Object.fromEntries(changed) as Record<string, string>)
    }
    const used = new Map<string, { readonly trips: readonly number[]; readonly peak: number }>()
    const contender = (name: string, place: string, deploy: () => Promise<void>) => ({
      name,
      before: commit,
      async run() {
        const before = [some[0], some.at(-1)].map(commands)
        peak = 0
        await deploy()
        const revision = `${git.revision()}\n`
        for (const { home, name: host } of some)
          if (readFileSync(join(home, place, 'served'), 'utf8') !== revision)
            throw new Error(`${name}: ${host} does not serve the new commit`)
        used.set(name, {
          trips: [some[0], some.at(-1)].map((host, at) => commands(host) - (before[at] ?? 0)),
          peak,
        })
      },
    })
    const all = [
      contender('script over ControlMaster', 'script', () =>
        run(root, 'bash', [
          join(root, 'deploy.sh'),
          sshConfig,
          git.repository,
          ...some.map(({ name }) => name),
        ]),
      ),
      contender('ours', 'ours', () =>
        run(join(project, 'ours'), process.execPath, [
          join(modules, 'deployfile/bin/deployfile.js'),
          'deploy',
          '-q',
        ]),
      ),
      ...(existsSync('/usr/bin/cap')
        ? [
            contender('Capistrano', 'cap', () =>
              run(join(project, 'cap'), '/usr/bin/cap', ['production', 'deploy']),
            ),
          ]
        : []),
    ]
    print(
      `${String(count)} ${count === 1 ? 'host' : 'hosts'}, ${String(FILES)} files, warm`,
      await compare(ROUNDS, all),
    )
    for (const [name, { trips, peak: most }] of used) {
      const each = count === 1 ? String(trips[0]) : `${trips.join(' on the first host, ')} on the last`
      console.log(`  ${name}: ${each} round trips, ${most.toFixed(0)} MB`)
    }
  }
} finally {
  await Promise.all(hosts.map((host) => host.stop()))
  await git.remove()
  await folder.remove()
}
