import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createShells } from '@deployfile/shell'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { servicesFound } from '../../../test/servers/service.ts'
import { makeSshKey } from '../../../test/servers/ssh-keys.ts'
import { problemOf } from '../test/contract.ts'
import { hostNamed, shellOf, type Site, startSite } from './host.ts'

describe.runIf(servicesFound('sshd'))('a key with a passphrase', () => {
  let site: Site
  let key: string
  let plain: string
  beforeAll(async () => {
    site = await startSite()
    plain = site.sshd.privateKeyPath
    key = lock(plain, 'encrypted')
  })
  afterAll(() => site[Symbol.asyncDispose]())

  /** A copy that opens by the word `open sesame`. */
  const lock = (path: string, name: string, ...format: string[]): string => {
    const copy = join(site.here, name)
    execFileSync('cp', [path, copy])
    execFileSync('ssh-keygen', ['-q', '-p', '-P', '', '-N', 'open sesame', '-f', copy, ...format])
    return copy
  }
  const open = (answers: readonly (string | undefined)[], ...lines: string[]) => {
    const config = join(site.here, 'locked')
    const { port, user } = site.sshd
    const files = [
      `UserKnownHostsFile ${site.knownHosts}`,
      'GlobalKnownHostsFile /dev/null',
      'IdentityAgent none',
    ]
    const fixed = ['HostName 127.0.0.1', `Port ${String(port)}`, `User ${user}`, ...files]
    writeFileSync(config, `Host web*\n${[...fixed, ...lines].map((line) => `  ${line}\n`).join('')}`)
    const asked: string[] = []
    const left = [...answers]
    const shells = createShells({
      root: site.here,
      sshConfig: config,
      askHidden: ({ message }) => {
        asked.push(message)
        return Promise.resolve(left.shift())
      },
    })
    return { shells, asked, config }
  }
  const login = async (answers: readonly (string | undefined)[], ...lines: string[]) => {
    const { shells, asked } = open(answers, ...lines)
    const outcome = await shellOf(shells, hostNamed('web1')).capture`echo in`.catch((error: unknown) => error)
    await shells.close()
    return { outcome, asked }
  }
  const only = (path: string): string[] => [`IdentityFile ${path}`, 'IdentitiesOnly yes']

  test('is asked for once, however many hosts want it', async () => {
    const { shells, asked } = open(['open sesame'], ...only(key))
    const names = Array.from({ length: 20 }, (_, at) => `web${String(at)}`)
    const said = await Promise.all(names.map((name) => shellOf(shells, hostNamed(name)).capture`echo in`))
    await shells.close()
    expect(said).toEqual(names.map(() => 'in'))
    expect(asked).toEqual([`Passphrase of the key ${key}`])
  })

  test('is asked for again when it is wrong, three times at most, and then for all hosts', async () => {
    const { outcome, asked } = await login(['no', 'open sesame'], ...only(key))
    expect(outcome).toBe('in')
    expect(asked).toEqual([`Passphrase of the key ${key}`, `That is not it. Passphrase of the key ${key}`])

    const { shells, asked: often } = open(['a', 'b', 'c', 'open sesame'], ...only(key))
    const problems = await Promise.all(
      ['web1', 'web2'].map((name) => problemOf(shellOf(shells, hostNamed(name)).sh`true`)),
    )
    await shells.close()
    expect(often).toHaveLength(3)
    expect(
      problems.map(({ code, kind, message, details }) => [code, kind, message, details.retryable]),
    ).toEqual(
      ['web1', 'web2'].map((name) => [
        'KEY_PASSPHRASE',
        'check',
        `${name}: none of 3 passphrases was that of the key ${key}`,
        false,
      ]),
    )
  })

  test('is not asked for where another key does', async () => {
    const { outcome, asked } = await login([], `IdentityFile ${key}`, ...only(plain))
    expect(outcome).toBe('in')
    expect(asked).toEqual([])
  })

  test('is not asked for where the host would not take the key', async () => {
    const stranger = lock(makeSshKey(join(site.here, 'stranger')).privateKeyPath, 'locked-stranger')
    const { outcome, asked } = await login(['open sesame'], ...only(stranger))
    expect(outcome).toMatchObject({ code: 'LOGIN_REFUSED' })
    expect(asked).toEqual([])
  })

  test('a person who gives up is not asked again', async () => {
    const { outcome, asked } = await login([undefined], ...only(key))
    expect(outcome).toMatchObject({
      code: 'KEY_ENCRYPTED',
      kind: 'check',
      details: { host: 'web1', retryable: false },
    })
    expect(asked).toHaveLength(1)
  })

  test('an old PEM file hides even its public half: it is asked for when nothing else is left', async () => {
    const rsa = join(site.here, 'pem')
    execFileSync('ssh-keygen', ['-q', '-t', 'rsa', '-b', '2048', '-m', 'PEM', '-N', 'open sesame', '-f', rsa])
    const authorized = join(site.sshd.root, 'authorized_keys')
    const before = readFileSync(authorized, 'utf8')
    writeFileSync(authorized, `${before}${readFileSync(`${rsa}.pub`, 'utf8')}`)
    execFileSync('rm', [`${rsa}.pub`])
    const { outcome, asked } = await login(['open sesame'], ...only(rsa))
    expect(outcome).toBe('in')
    expect(asked).toEqual([`Passphrase of the key ${rsa}`])
    writeFileSync(authorized, before)
  })

  test('a run that ends meanwhile does not wait for the answer', async () => {
    const { config } = open([], ...only(key))
    let asked = (): void => undefined
    const question = new Promise<void>((resolve) => (asked = resolve))
    const shells = createShells({
      root: site.here,
      sshConfig: config,
      askHidden: () => {
        asked()
        return new Promise(() => undefined)
      },
    })
    const waiting = ['web1', 'web2'].map((name) => problemOf(shellOf(shells, hostNamed(name)).sh`true`))
    await question
    const begun = performance.now()
    await shells.close()
    expect(performance.now() - begun).toBeLessThan(2_000)
    expect((await Promise.all(waiting)).map(({ message }) => message)).toEqual(
      ['web1', 'web2'].map((name) => `${name}: the run has closed its connections`),
    )
  })

  test('the answer is in no event, message or error', async () => {
    const { outcome } = await login(['nearly sesame', 'hardly sesame', 'never sesame'], ...only(key))
    expect(JSON.stringify([outcome, (outcome as Error).stack])).not.toContain('sesame')
  })
})
