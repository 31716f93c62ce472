import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { servicesFound } from '../servers/service.ts'
import { startSshd } from '../servers/sshd.ts'
import { tempFolder } from '../servers/temp.ts'
import { start, until } from './command.ts'

const PACKAGE = fileURLToPath(new URL('../../packages/deployfile', import.meta.url))

/** A folder with this config, and `deployfile` as npm would have it. */
function makeProject(folder: string, config: string): string {
  mkdirSync(join(folder, 'node_modules/.bin'), { recursive: true })
  symlinkSync(PACKAGE, join(folder, 'node_modules/deployfile'))
  symlinkSync('../deployfile/bin/deployfile.js', join(folder, 'node_modules/.bin/deployfile'))
  writeFileSync(join(folder, 'deploy.config.ts'), config)
  return join(folder, 'node_modules/.bin/deployfile')
}

test('a host that accepts and stays silent: the run has failed and is undone within 40 s', async () => {
  await using folder = tempFolder('silent')
  const sockets = new Set<{ destroy(): unknown }>()
  const server = createServer((socket) => void sockets.add(socket.on('error', () => undefined)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const program = makeProject(
    folder.path,
    `import { defineConfig, task } from 'deployfile'
const prepare = task('prepare', {
  on: 'app',
  async run({ remote }) { await remote.sh\`echo prepared >> story\` },
  async undo({ remote }) { await remote.sh\`echo undone >> story\` },
})
const publish = task('publish', {
  on: 'app',
  needs: { prepare },
  async run({ remote }) { await remote.sh\`echo published >> story\` },
})
export default defineConfig({
  stages: { production: { hosts: {
    ready: { transport: 'local', roles: ['app'] },
    mute: { roles: ['app'], address: 'deploy@127.0.0.1:${String(port)}' },
  } } },
  defaultStage: 'production',
  tasks: [prepare, publish],
})
`,
  )
  writeFileSync(join(folder.path, 'ssh_config'), '')
  const begun = performance.now()
  const env = { ...process.env, DEPLOYFILE_SSH_CONFIG: 'ssh_config' }
  const { code, output } = await start(program, ['publish'], { cwd: folder.path, env }).ended
  const took = performance.now() - begun
  for (const socket of sockets) socket.destroy()
  server.close()
  expect(code, output).toBe(1)
  expect(output).toContain(
    `mute: 127.0.0.1:${String(port)} accepted the connection but stayed silent for 20 s`,
  )
  expect(took, output).toBeLessThan(40_000)
  // The other host had gone on by itself; all of it is taken back.
  const story = readFileSync(join(folder.path, 'story'), 'utf8').trim().split('\n')
  expect([story[0], story.at(-1)]).toEqual(['prepared', 'undone'])
})

const hasTerminal = ((): boolean => {
  try {
    execFileSync('script', ['-qec', 'true', '/dev/null'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

test.runIf(hasTerminal)(
  'a question in a running tree is answered, and the screen is whole afterwards',
  async () => {
    await using folder = tempFolder('question')
    const program = makeProject(
      folder.path,
      `import { defineConfig, task } from 'deployfile'
const waits = task('waits', { on: 'app', async run({ remote }) { await remote.sh\`while [ ! -e typed ]; do sleep 0.05; done\` } })
const asks = task('asks', { async run({ confirm }) { await confirm({ message: 'The cache is emptied.', answer: 'cache' }) } })
const all = task('all', { needs: { waits, asks }, run: () => 1 })
export default defineConfig({
  stages: { dev: { hosts: { here: { transport: 'local', roles: ['app'] } } } },
  defaultStage: 'dev',
  tasks: [all],
})
`,
    )
    const child = spawn('script', ['-qefc', `stty cols 80 rows 24; exec '${program}' all`, '/dev/null'], {
      cwd: folder.path,
      env: { ...process.env, CI: '', TERM: 'xterm', NO_COLOR: '1' },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    let screen = ''
    child.stdout.on('data', (chunk: Buffer) => (screen += chunk.toString()))
    await until('it is asked', () => screen.includes('Type cache to go on'))
    const asked = screen.length
    child.stdin.write('cache\r')
    // The tree is drawn again while the other task still runs.
    await until('the tree goes on', () => screen.slice(asked).includes('✔ asks'))
    writeFileSync(join(folder.path, 'typed'), '')
    const [code] = (await once(child, 'close')) as [number]
    expect(code, screen).toBe(0)
    const last = screen.slice(screen.lastIndexOf('✔ waits'))
    expect(last).toMatch(/^✔ waits {2}here.*\r\n.*✔ asks.*\r\n.*✔ all.*\r\n/)
    expect(last).toContain('✔ done after')
    // The cursor, which the tree hides while it draws, is there again.
    expect(screen.lastIndexOf('\u001b[?25h')).toBeGreaterThan(screen.lastIndexOf('\u001b[?25l'))
  },
)

test.runIf(hasTerminal)(
  'a secret that is a prompt is asked for once, while the tree stands still, and shown nowhere',
  async () => {
    await using folder = tempFolder('prompt')
    const program = makeProject(
      folder.path,
      `import { defineConfig, secret, task } from 'deployfile'
const token = secret.prompt('registry token')
const asks = ['one', 'two'].map((name) => task(name, {
  on: 'app',
  async run({ remote }) {
    const own = remote.with({ secrets: { TOKEN: token } })
    return { length: Number(await own.capture\`printf %s "$TOKEN" | wc -c\`) }
  },
}))
const waits = task('waits', { on: 'app', async run({ remote }) { await remote.sh\`while [ ! -e typed ]; do sleep 0.05; done\` } })
const tell = task('tell', {
  needs: { one: asks[0], two: asks[1], waits },
  async run({ needs }) { return { all: [needs.one, needs.two].map((all) => all.get('here').length) } },
})
export default defineConfig({
  stages: { dev: { hosts: { here: { transport: 'local', roles: ['app'] } } } },
  defaultStage: 'dev',
  tasks: [...asks, waits, tell],
})
`,
    )
    const child = spawn('script', ['-qefc', `stty cols 200 rows 50; exec '${program}' tell`, '/dev/null'], {
      cwd: folder.path,
      env: { ...process.env, CI: '', TERM: 'xterm', SECRET_REGISTRY_TOKEN: '' },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    let screen = ''
    child.stdout.on('data', (chunk: Buffer) => (screen += chunk.toString()))
    await until('the token is asked for', () => screen.includes('registry token'))
    child.stdin.write('open sesame\r')
    const before = screen.length
    await until('the answer was taken', () => screen.length > before)
    writeFileSync(join(folder.path, 'typed'), '')
    const [code] = (await once(child, 'close')) as [number]
    expect(code, screen).toBe(0)
    expect(screen).not.toContain('sesame')
    const journal = execFileSync('sh', ['-c', 'cat .deployfile/runs/*/events.jsonl'], {
      cwd: folder.path,
      encoding: 'utf8',
    })
    expect(journal).toContain('{"all":[11,11]}')
    expect(journal).not.toContain('sesame')
    expect(journal).not.toContain('no terminal')
  },
)

describe.runIf(servicesFound('sshd') && hasTerminal)('a key with a passphrase', () => {
  test('is asked for on the terminal once for two hosts, and what is typed is nowhere', async () => {
    await using sshd = await startSshd({ name: 'web1' })
    await using folder = tempFolder('passphrase')
    const key = join(folder.path, 'key')
    execFileSync('cp', [sshd.privateKeyPath, key])
    execFileSync('ssh-keygen', ['-q', '-p', '-P', '', '-N', 'open sesame', '-f', key])
    const program = makeProject(
      folder.path,
      `import { defineConfig, task } from 'deployfile'
const hello = task('hello', { on: 'app', async run({ remote }) { await remote.sh\`echo hello from \${remote.host.name}\` } })
export default defineConfig({
  stages: { production: { hosts: { web1: { roles: ['app'] }, web2: { roles: ['app'] } } } },
  defaultStage: 'production',
  tasks: [hello],
})
`,
    )
    writeFileSync(join(folder.path, 'known_hosts'), `${sshd.knownHostsLine}\n`)
    writeFileSync(
      join(folder.path, 'ssh_config'),
      `Host web*
  HostName 127.0.0.1
  Port ${String(sshd.port)}
  User ${sshd.user}
  IdentityFile ${key}
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile ${join(folder.path, 'known_hosts')}
  GlobalKnownHostsFile /dev/null
`,
    )
    const child = spawn('script', ['-qefc', `stty cols 200 rows 50; exec '${program}' hello`, '/dev/null'], {
      cwd: folder.path,
      env: { ...process.env, CI: '', TERM: 'xterm', DEPLOYFILE_SSH_CONFIG: 'ssh_config' },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    let screen = ''
    child.stdout.on('data', (chunk: Buffer) => (screen += chunk.toString()))
    const question = 'Passphrase of the key'
    await until('the passphrase is asked for', () => screen.includes(question))
    child.stdin.write('open sesame\r')
    const [code] = (await once(child, 'close')) as [number]
    expect(code, screen).toBe(0)
    expect(screen).toContain('hello')
    expect(screen).not.toContain('sesame')
    const search = `grep -r sesame '${join(folder.path, '.deployfile')}' || true`
    expect(execFileSync('sh', ['-c', search], { encoding: 'utf8' })).toBe('')
  })
})
