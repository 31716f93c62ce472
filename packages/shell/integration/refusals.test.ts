import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { type Problem, toRecord } from '@deployfile/core'
import { createShells } from '@deployfile/shell'
import type { AuthContext } from 'ssh2'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { tempFolder } from '../../../test/servers/temp.ts'
import { problemOf } from '../test/contract.ts'
import { hostNamed, shellOf } from './host.ts'
import {
  type Desk,
  fingerprintOf,
  makeDesk,
  type ServerOptions,
  shellTo,
  startServer,
  type Way,
} from './ssh-server.ts'

const temp = tempFolder('refusals')
afterAll(() => temp.remove())
let at = 0
let desk: Desk
beforeEach(() => {
  desk = makeDesk(temp.path, String(++at))
})

/** What a person sees, and what a program can go by. */
const told = (problem: Problem) => {
  const { kind, code, message, hint, host, retryable } = toRecord(problem)
  return { kind, code, message, hint, host, retryable }
}
const refusal = async (port: number, way: Way): Promise<Problem> => {
  const { shell, close } = shellTo({ port }, desk, way)
  const problem = await problemOf(shell.sh`true`)
  await close()
  return problem
}
/** By a server that lets nobody in, or not at once. */
const refusedBy = async (options: ServerOptions, config = '') => {
  const server = await startServer(['ed25519'], options)
  const problem = await refusal(server.port, {
    config,
    host: { hostKey: [fingerprintOf(server.publicKeys[0]!)] },
  })
  await server.close()
  const label = `${fingerprintOf(execFileSync('ssh-keygen', ['-y', '-f', join(desk.folder, 'id')], { encoding: 'utf8' }).trim())} (${desk.folder}/id)`
  return { problem, server, at: `127.0.0.1:${String(server.port)}`, label }
}

describe('a server that lets nobody in', () => {
  test('wants a password after the key', async () => {
    const onAuthentication = (context: AuthContext): void => {
      if (context.method === 'publickey') context.reject(['password'], true)
      else context.reject(['publickey'])
    }
    const { problem, at, label } = await refusedBy({ onAuthentication })
    expect(told(problem)).toEqual({
      kind: 'check',
      code: 'LOGIN_REFUSED',
      message: `web1: ${at} took ${label} of deploy but wants more: password`,
      hint: 'Only keys are supported: let deploy log in by key alone (AuthenticationMethods in its sshd_config).',
      host: 'web1',
      retryable: false,
    })
  })

  test('takes only GSSAPI', async () => {
    const onAuthentication = (context: AuthContext): void => context.reject(['gssapi-with-mic' as never])
    const { problem, at } = await refusedBy({ onAuthentication })
    expect(told(problem)).toMatchObject({
      code: 'SSH_UNSUPPORTED',
      message: `web1: ${at} takes only GSSAPI (Kerberos), which is not supported`,
      retryable: false,
    })
  })

  test('refuses once: a login is never tried again', async () => {
    const onAuthentication = (context: AuthContext): void => context.reject(['publickey'])
    const { problem, server, at, label } = await refusedBy({ onAuthentication })
    expect(told(problem)).toMatchObject({
      code: 'LOGIN_REFUSED',
      message: `web1: ${at} refused the login of deploy; offered: ${label}; it takes publickey`,
    })
    expect(problem.details.cause).toBeInstanceOf(Error)
    // One question whether the key would do, and its answer was no.
    expect(server.heard).toEqual(['authentication publickey'])
  })
})

describe('key files', () => {
  const onAuthentication = (context: AuthContext): void => context.reject(['publickey'])

  test('one that others may read is not used', async () => {
    chmodSync(join(desk.folder, 'id'), 0o644)
    const server = await startServer(['ed25519'])
    const problem = await refusal(server.port, { host: { hostKey: [fingerprintOf(server.publicKeys[0]!)] } })
    await server.close()
    expect(told(problem)).toEqual({
      kind: 'check',
      code: 'KEY_EXPOSED',
      message: `web1: ${desk.folder}/id may be read by others (mode 0644)`,
      hint: `Keep it for yourself: chmod 600 ${desk.folder}/id`,
      host: 'web1',
      retryable: false,
    })
    expect(server.heard).toEqual([])
  })

  test('one that is no key', async () => {
    writeFileSync(join(desk.folder, 'id'), 'not a key\n')
    const server = await startServer(['ed25519'])
    const problem = await refusal(server.port, {})
    await server.close()
    expect(told(problem)).toMatchObject({
      code: 'KEY_UNREADABLE',
      message: `web1: ${desk.folder}/id is not a private key: Unsupported key format`,
    })
  })

  test('one that is missing is named, where the others do not do', async () => {
    const { problem } = await refusedBy({ onAuthentication }, '  IdentityFile /no/such/key\n')
    expect(problem.message).toContain('; it takes publickey; /no/such/key does not exist')
  })

  test('a certificate beside one is named, where the key alone does not do', async () => {
    writeFileSync(join(desk.folder, 'id-cert.pub'), 'ssh-ed25519-cert-v01@openssh.com AAAA\n')
    const { problem } = await refusedBy({ onAuthentication })
    expect(problem.message).toContain(`${desk.folder}/id-cert.pub is a certificate, which is not supported`)
  })
})

describe('what answers is no SSH server that wants us', () => {
  /** Says this to everybody, and hangs up or not. */
  const speaker = async (text: string, hangUp = true) => {
    const sockets: Socket[] = []
    const server = createServer((socket) => {
      sockets.push(socket)
      socket.on('error', () => undefined).resume()
      socket.write(text, () => hangUp && socket.end())
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const problem = await refusal(port, {})
    for (const socket of sockets) socket.destroy()
    server.close()
    return { problem, tries: sockets.length, at: `127.0.0.1:${String(port)}` }
  }

  test('a web server', async () => {
    const { problem, tries, at } = await speaker('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')
    expect(told(problem)).toMatchObject({
      code: 'HANDSHAKE_FAILED',
      message: `web1: ${at} is no SSH server: it said 'HTTP/1.1 400 Bad Request'`,
      retryable: false,
    })
    expect(tries).toBe(1)
  })

  test('a crowded sshd: three times, and not at once', async () => {
    const { problem, tries, at } = await speaker('Exceeded MaxStartups\r\n')
    expect(told(problem)).toMatchObject({
      code: 'HOST_UNREACHABLE',
      message: `web1: ${at} turned us away: it said 'Exceeded MaxStartups'`,
      hint: 'Too many log in to it at once: raise MaxStartups in its sshd_config.',
      retryable: true,
    })
    expect(tries).toBe(3)
  })

  test('an sshd that shuts this address out: not asked again', async () => {
    const { problem, tries } = await speaker('Not allowed at this time\r\n')
    expect(told(problem)).toMatchObject({ code: 'HOST_UNREACHABLE', retryable: true })
    expect(problem.details.hint).toContain('PerSourcePenalties')
    expect(tries).toBe(1)
  })

  test('one that hangs up without a word: three times', async () => {
    const { problem, tries, at } = await speaker('')
    expect(problem.message).toBe(
      `web1: ${at} closed the connection before a word was said: Connection lost before handshake`,
    )
    expect(tries).toBe(3)
  })
})

describe('nothing is reached', () => {
  const ask = async (host: Parameters<typeof hostNamed>[1]) => {
    const shells = createShells({ root: temp.path, sshConfig: '/dev/null' })
    const problem = await problemOf(shellOf(shells, hostNamed('web1', host)).sh`true`)
    await shells.close()
    return problem
  }

  test('a name that nobody knows', async () => {
    const problem = told(await ask({ address: 'no-such-host.invalid' }))
    expect(problem).toMatchObject({
      kind: 'check',
      code: expect.stringMatching(/^HOST_NOT_FOUND$/) as string,
      host: 'web1',
    })
    expect(problem.message).toMatch(
      /^web1: the name no-such-host\.invalid (is not known|cannot be looked up just now)$/,
    )
    expect(problem.hint).toContain('ssh -G no-such-host.invalid')
  })

  test.each(['-oProxyCommand=id', 'web 1', 'web\u00001', 'web:0', 'web$(id)'])(
    '%j never gets as far as ssh',
    async (address) => {
      expect(told(await ask({ address }))).toMatchObject({
        kind: 'usage',
        code: 'HOST_ADDRESS',
        host: 'web1',
        retryable: false,
      })
    },
  )
})
