import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CommandEvent } from '@deployfile/core'
import { createShells } from '@deployfile/shell'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isRunning } from '../../../test/servers/marked-processes.ts'
import { servicesFound } from '../../../test/servers/service.ts'
import { problemOf, until } from '../test/contract.ts'
import { hostNamed, shellOf, type Site, startSite } from './host.ts'

describe.runIf(servicesFound('sshd'))('ProxyCommand', () => {
  let site: Site
  let pids: string
  beforeAll(async () => {
    site = await startSite()
    pids = join(site.here, 'pids')
    // Carries bytes both ways, as `nc` does; writes its pid down, and with a word for it how it ends.
    writeFileSync(
      join(site.here, 'carry.mjs'),
      `import { connect } from 'node:net'
import { appendFileSync } from 'node:fs'
const [host, port] = process.argv.slice(2)
appendFileSync(${JSON.stringify(pids)}, process.pid + '\\n')
const socket = connect(Number(port), host)
process.stdin.pipe(socket).pipe(process.stdout)
process.on('SIGUSR2', () => { console.error('first line\\nthe tunnel fell in'); process.exit(7) })
`,
    )
  })
  afterAll(() => site[Symbol.asyncDispose]())

  const open = (command: string) => {
    const config = join(site.here, 'proxied')
    writeFileSync(config, `Host web1\n  ProxyCommand ${command}\n${readFileSync(site.config, 'utf8')}`)
    return createShells({ root: site.here, sshConfig: config })
  }
  const carry = (): string => `"${process.execPath}" ${join(site.here, 'carry.mjs')} %h %p`
  const lastPid = (): number => Number(readFileSync(pids, 'utf8').trim().split('\n').at(-1))
  const refusal = async (command: string) => {
    const shells = open(command)
    const problem = await problemOf(shellOf(shells, hostNamed('web1')).sh`true`)
    await shells.close()
    return problem
  }

  test('carries the connection, as much as there is, and ends with it', async () => {
    const shells = open(carry())
    const shell = shellOf(shells, hostNamed('web1'))
    const content = 'x'.repeat(3_000_000)
    await shell.writeFile('through-a-program', content)
    expect(await shell.readFile('through-a-program')).toBe(content)
    await shells.close()
    await until(() => !isRunning(lastPid()))
  })

  test('it is in a session of its own, so that Ctrl-C does not cut what undo still needs', async () => {
    const shells = open(carry())
    await shellOf(shells, hostNamed('web1')).sh`true`
    const [, , , , group] = readFileSync(`/proc/${String(lastPid())}/stat`, 'utf8').split(' ')
    expect(Number(group)).toBe(lastPid())
    await shells.close()
  })

  test('it fails: said with its exit code and its own words', async () => {
    const problem = await refusal(`sh -c 'echo no route to anywhere >&2; exit 3'`)
    expect(problem).toMatchObject({
      code: 'PROXY_COMMAND_FAILED',
      kind: 'check',
      details: { host: 'web1', retryable: true },
    })
    expect(problem.message).toBe(
      `web1: the ProxyCommand 'sh -c 'echo no route to anywhere >&2; exit 3'' ended with exit code 3: no route to anywhere`,
    )
    expect(problem.details.hint).toBe(`Try: ssh -p ${String(site.sshd.port)} ${site.sshd.user}@web1 true`)
  })

  test('it is not there', async () => {
    const problem = await refusal('/no/such/program %h')
    expect(problem.code).toBe('PROXY_COMMAND_FAILED')
    expect(problem.message).toMatch(
      /'\/no\/such\/program 127\.0\.0\.1' ended with exit code 127: .*not found|No such file/,
    )
  })

  test('it is tried once: who knows what it does', async () => {
    await refusal(`sh -c 'echo tried >> ${site.here}/tries; exit 1'`)
    expect(readFileSync(join(site.here, 'tries'), 'utf8')).toBe('tried\n')
  })

  test('it dies in the middle of a command: lost, with its words, and the next one starts it anew', async () => {
    const shells = open(carry())
    const lines: string[] = []
    const shell = shellOf(shells, hostNamed('web1'), undefined, (event: CommandEvent) => {
      if (event.type === 'command.output') lines.push(event.line)
    })
    const running = problemOf(shell.sh`echo $$; exec sleep 1000`)
    await until(() => lines.length > 0)
    const first = lastPid()
    process.kill(first, 'SIGUSR2')
    const problem = await running
    expect(problem).toMatchObject({ code: 'CONNECTION_LOST', kind: 'task' })
    expect(problem.message).toContain('ended with exit code 7: first line; the tunnel fell in')
    expect(await shell.capture`echo again`).toBe('again')
    expect(lastPid()).not.toBe(first)
    await shells.close()
    process.kill(Number(lines[0]))
  })

  test('one that says nothing is ended with the run', async () => {
    const marker = join(site.here, 'waiting')
    const shells = open(`sh -c 'echo $$ > ${marker}; exec sleep 1000'`)
    const waiting = problemOf(shellOf(shells, hostNamed('web1')).sh`true`)
    await until(() => existsSync(marker) && readFileSync(marker, 'utf8') !== '')
    await shells.close()
    expect((await waiting).message).toBe('web1: the run has closed its connections')
    await until(() => !isRunning(Number(readFileSync(marker, 'utf8'))))
  })
})
