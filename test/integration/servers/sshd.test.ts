import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isRunning } from '../../servers/marked-processes.ts'
import { servicesFound } from '../../servers/service.ts'
import { startSshd, type SshHost } from '../../servers/sshd.ts'
import { tempFolder } from '../../servers/temp.ts'

function client(host: SshHost): readonly string[] {
  const knownHosts = join(host.root, 'known_hosts')
  const config = join(host.root, 'ssh_config')
  writeFileSync(knownHosts, `${host.knownHostsLine}\n`)
  writeFileSync(config, host.sshConfig(knownHosts))
  return ['-F', config, '-o', 'BatchMode=yes', '-o', 'StrictHostKeyChecking=yes']
}

function ssh(host: SshHost, command: string, input = ''): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync('ssh', [...client(host), host.name, command], {
    input,
    encoding: 'utf8',
  })
  return { code: status, out: stdout.trimEnd(), err: stderr.trimEnd() }
}

describe.runIf(servicesFound('sshd'))('an SSH host of a test', () => {
  let host: SshHost
  beforeAll(async () => {
    host = await startSshd()
  })
  afterAll(() => host.stop())

  it('gives commands its own home and temp folder, and starts them there', () => {
    const { out, err } = ssh(host, 'echo $HOME; pwd; cd /; cd; pwd; echo ~; echo $TMPDIR; dirname $(mktemp)')
    const home = realpathSync(host.home)
    expect(err).toBe('')
    expect(out.split('\n')).toEqual([home, home, home, home, host.tmp, host.tmp])
  })

  it('passes input, both outputs, exit codes and quotes as a server does', () => {
    expect(ssh(host, 'cat; echo "oh" >&2; exit 7', 'some input')).toEqual({
      code: 7,
      out: 'some input',
      err: 'oh',
    })
    expect(ssh(host, `printf '%s|' "a  b" 'c"d' $((1+1)) é`).out).toBe('a  b|c"d|2|é|')
    expect(ssh(host, 'no-such-program').code).toBe(127)
  })

  it('ends commands by signal as a server does', () => {
    // ssh itself says 255 for a command that a signal ended.
    expect(ssh(host, 'kill -TERM $$').code).toBe(255)
  })

  it('reads the rc file of its own home once, and none of the home of who runs the test', () => {
    const rc = join(host.home, '.bashrc')
    writeFileSync(rc, 'echo "from $HOME/.bashrc" >&2\n')
    const { err } = ssh(host, 'true')
    // Only bash reads it for a command; other login shells have their own ways.
    if ((process.env['SHELL'] ?? '').endsWith('bash')) expect(err).toBe(`from ${host.home}/.bashrc`)
    expect(err.split('from').length).toBeLessThanOrEqual(2)
    writeFileSync(rc, '')
  })

  it('serves files below its home', () => {
    writeFileSync(join(host.home, 'here.txt'), 'a file')
    const batch = `pwd\nput ${join(host.home, 'here.txt')} there.txt\n`
    const { stdout, stderr, status } = spawnSync('sftp', [...client(host), '-b', '-', host.name], {
      input: batch,
      encoding: 'utf8',
    })
    expect(stderr).toBe('')
    expect(status).toBe(0)
    expect(stdout).toContain(`Remote working directory: ${realpathSync(host.home)}`)
    expect(existsSync(join(host.home, 'there.txt'))).toBe(true)
  })

  it('refuses a key that it does not know', async () => {
    await using other = await startSshd()
    const { code, err } = ssh(
      {
        ...host,
        sshConfig: (file) => host.sshConfig(file).replace(host.privateKeyPath, other.privateKeyPath),
      },
      'true',
    )
    expect(err).toContain('Permission denied (publickey)')
    expect(code).toBe(255)
  })

  it('is known by its host key', () => {
    const [, , line] = host.knownHostsLine.split(' ')
    expect(host.knownHostsLine).toBe(`[127.0.0.1]:${host.port} ssh-ed25519 ${line ?? ''}`)
    ssh(host, 'true')
    expect(host.log()).toContain(`Accepted key ED25519 ${host.identity.fingerprint}`)
  })
})

describe.runIf(servicesFound('sshd'))('several SSH hosts of a test', () => {
  it('share a key and nothing else', async () => {
    await using folder = tempFolder('hosts')
    await using web1 = await startSshd({ hostsDir: folder.path, name: 'web1' })
    await using web2 = await startSshd({ hostsDir: folder.path, name: 'web2', identity: web1.identity })
    ssh(web1, 'echo one > ~/file')
    expect(ssh(web2, 'ls -A ~').out).toBe('')
    expect(ssh(web1, 'ls -A ~').out).toBe('file')
    expect(web2.hostKeyFingerprint).not.toBe(web1.hostKeyFingerprint)
    expect(web2.root.startsWith(folder.path)).toBe(true)
  })

  it('end with all that runs through them, also what a lost client left behind', async () => {
    const host = await startSshd()
    const shell = spawn('ssh', [...client(host), host.name, 'trap "" HUP; echo $$; exec sleep 600'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const [line] = (await once(shell.stdout, 'data')) as [Buffer]
    const command = Number(line.toString())
    shell.kill('SIGKILL')
    await once(shell, 'exit')
    expect(isRunning(command)).toBe(true)

    await host.stop()
    expect(isRunning(command)).toBe(false)
    expect(isRunning(host.pid)).toBe(false)
    expect(existsSync(host.root)).toBe(false)
  })

  it('cut their connections on demand and take new ones', async () => {
    await using host = await startSshd()
    const shell = spawn('ssh', [...client(host), host.name, 'echo up; exec sleep 600'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    await once(shell.stdout, 'data')
    const ended = once(shell, 'exit')
    await host.disconnect()
    const [code] = (await ended) as [number | null]
    expect(code).toBe(255)
    expect(ssh(host, 'echo again').out).toBe('again')
  })
})
