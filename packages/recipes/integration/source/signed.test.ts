import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeGitServer, type GitServer } from '../../../../test/servers/git.ts'
import { servicesFound } from '../../../../test/servers/service.ts'
import { makeSshKey } from '../../../../test/servers/ssh-keys.ts'
import { git, type GitOptions } from '../../src/index.ts'
import { makeBuildHost, type BuildHost } from './filled.ts'

let host: BuildHost
let server: GitServer
beforeEach(() => {
  host = makeBuildHost()
  server = makeGitServer()
})
afterEach(async () => {
  await server.remove()
  await host[Symbol.asyncDispose]()
})

const build = (options: GitOptions): ReturnType<BuildHost['build']> =>
  host.build({ repository: server.repository, branch: 'master', source: git(options) })

function run(cwd: string, ...args: readonly string[]): string {
  return execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=alice@example.com', ...args], {
    ...{ cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
  }).trim()
}

/** A commit by a checkout of its own, pushed. */
function commit(file: string, text: string, ...how: readonly string[]): void {
  const work = join(host.path, 'work')
  run(host.path, 'clone', '-q', server.repository, work)
  writeFileSync(join(work, file), text)
  run(work, 'add', '--all')
  run(
    work,
    ...how.filter((word) => word !== '-S'),
    'commit',
    '-qm',
    'Signed',
    ...how.filter((word) => word === '-S'),
  )
  run(work, 'push', '-q', 'origin', 'master')
  rmSync(work, { recursive: true })
}

describe('a signed commit', () => {
  it('is deployed only where a signer has signed it', async () => {
    const [alice, mallory] = [makeSshKey(join(host.path, 'alice')), makeSshKey(join(host.path, 'mallory'))]
    const signer = (path: string): readonly string[] => [
      '-c',
      'gpg.format=ssh',
      '-c',
      `user.signingKey=${path}`,
      '-S',
    ]
    writeFileSync(join(host.path, 'signers'), `alice@example.com ${alice.publicKey}\n`)
    const verifySignature = { allowedSigners: 'signers' }
    const failed = (): string =>
      `RELEASE_FAILED: web1: verifying the signature of ${server.revision()} failed: it is not signed by one of the signers: `
    expect(await build({ verifySignature })).toBe(`${failed()}it has no signature`)
    commit('app.txt', 'by mallory', ...signer(mallory.privateKeyPath))
    expect(await build({ verifySignature })).toContain(failed())
    expect(await build({ verifySignature: true })).toContain('not signed by anyone whom this host trusts')
    commit('app.txt', 'by alice', ...signer(alice.privateKeyPath))
    expect(await build({ verifySignature })).toMatchObject({ 'app.txt': 'by alice' })
    expect(host.own().filter((name) => name.endsWith('.signers'))).toEqual([])
  })
})

describe.runIf(servicesFound('git-lfs'))('files of Git LFS', () => {
  it('are in the release', async () => {
    const attributes = 'data.bin filter=lfs diff=lfs merge=lfs -text\n'
    const work = join(host.path, 'work')
    run(host.path, 'clone', '-q', server.repository, work)
    run(work, 'lfs', 'install', '--local')
    writeFileSync(join(work, '.gitattributes'), attributes)
    writeFileSync(join(work, 'data.bin'), 'large')
    run(work, 'add', '--all')
    run(work, 'commit', '-qm', 'Large')
    run(work, 'push', '-q', 'origin', 'master')
    expect(run(server.repository, 'show', 'master:data.bin')).toContain('git-lfs')
    expect(await build({ lfs: true })).toMatchObject({ 'data.bin': 'large' })
  })
})
