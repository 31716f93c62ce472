import { execFileSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeGitServer, type GitServer } from '../../../../test/servers/git.ts'
import { git, type GitOptions } from '../../src/index.ts'
import { makeBuildHost, type BuildHost } from './filled.ts'

let host: BuildHost
let server: GitServer
beforeEach(() => {
  host = makeBuildHost()
  server = makeGitServer()
  server.commit({ 'app.txt': 'one', 'api/main.txt': 'api' })
})
afterEach(async () => {
  await server.remove()
  await host[Symbol.asyncDispose]()
})

const build = (options: GitOptions = {}, wanted?: string, url = server.repository) =>
  host.build({ repository: url, branch: 'master', source: git(options) }, wanted)
const mirror = (...args: readonly string[]): string =>
  execFileSync('git', ['-C', host.at('repo'), ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim()

/** Damages what git keeps: every object file that stands alone, and every pack. */
function damage(): void {
  for (const entry of readdirSync(host.at('repo/objects'), { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || entry.parentPath.endsWith('info')) continue
    const path = join(entry.parentPath, entry.name)
    // A clone from a path has them in common with the repository.
    rmSync(path)
    writeFileSync(path, 'rubbish')
  }
}

describe('a folder of the repository', () => {
  it('is all that is deployed', async () => {
    expect(await build({ path: 'api' })).toEqual({ REVISION: `${server.revision()}\n`, 'main.txt': 'api' })
  })

  it('that the commit has not is named', async () => {
    expect(await build({ path: 'web' })).toBe(
      `RELEASE_FAILED: web1: unpacking the commit ${server.revision()} failed: the commit has no folder web`,
    )
    expect(await build({ path: 'app.txt' })).toContain('the commit has no folder app.txt')
  })
})

describe('the mirror', () => {
  it('is made anew where it is damaged, and where half of it is missing', async () => {
    const whole = await build()
    damage()
    expect(await build()).toEqual(whole)
    expect(mirror('fsck')).toBe('')
    rmSync(host.at('repo/HEAD'))
    expect(await build()).toEqual(whole)
    rmSync(host.at('repo/config'))
    writeFileSync(host.at('repo/config'), '[rubbish')
    expect(await build()).toEqual(whole)
    expect(readdirSync(host.at('repo'))).not.toContain('repo')
    expect(host.own()).toEqual(['releases.jsonl'])
  })

  it('is made anew where a killed git has left a lock in it', async () => {
    await build()
    server.commit({ 'app.txt': 'two' })
    writeFileSync(host.at('repo/refs/heads/master.lock'), '')
    mkdirSync(host.at('repo/refs/heads'), { recursive: true })
    expect(await build()).toMatchObject({ 'app.txt': 'two' })
    expect(mirror('rev-parse', 'master')).toBe(server.revision())
  })

  it('is kept where the git server does not answer', async () => {
    await build()
    const before = mirror('rev-parse', 'HEAD')
    expect(await build({}, 'f'.repeat(40), '/nowhere')).toContain('REPOSITORY_UNREACHABLE')
    expect(mirror('rev-parse', 'HEAD')).toBe(before)
  })

  it('becomes that of another repository where the address changes', async () => {
    await build()
    await using other = makeGitServer({ branches: ['master', 'only-here'] })
    other.commit({ 'app.txt': 'other' })
    expect(await build({}, undefined, other.repository)).toMatchObject({ 'app.txt': 'other' })
    expect(mirror('config', 'remote.origin.url')).toBe(other.repository)
    expect(mirror('branch', '--list', '--format=%(refname:short)').split('\n')).toEqual([
      'master',
      'only-here',
    ])
    expect(mirror('rev-parse', 'master')).toBe(other.revision())
  })

  it('refuses a commit that is nowhere, and stays', async () => {
    await build()
    expect(await build({}, 'f'.repeat(40))).toContain('the repository has no such commit')
    expect(mirror('rev-parse', 'master')).toBe(server.revision())
  })
})

describe('a shallow mirror', () => {
  it('has the last commits of each branch, and goes on', async () => {
    const first = server.revision()
    server.commit({ 'app.txt': 'two' })
    const url = `file://${server.repository}`
    expect(await build({ depth: 1 }, undefined, url)).toMatchObject({ 'app.txt': 'two' })
    expect(mirror('rev-list', '--count', 'master')).toBe('1')
    server.commit({ 'app.txt': 'three' })
    expect(await build({ depth: 1 }, undefined, url)).toMatchObject({ 'app.txt': 'three' })
    // An older one is asked for by itself; without a depth the mirror gets all the rest.
    expect(await build({ depth: 1 }, first, url)).toMatchObject({ 'app.txt': 'one' })
    server.commit({ 'app.txt': 'four' })
    expect(await build({}, undefined, url)).toMatchObject({ 'app.txt': 'four' })
    expect(Number(mirror('rev-list', '--count', 'master'))).toBe(5)
  })
})

describe('submodules', () => {
  it('are unpacked at their commits, those of submodules too, and below a folder', async () => {
    await using library = makeGitServer()
    await using inner = makeGitServer()
    inner.commit({ 'inner.txt': 'inner' })
    library.commit({ 'lib.txt': 'lib' })
    const name = 'deep er'
    addSubmodule(library, inner.repository, name, inner.revision())
    addSubmodule(
      server,
      `../../${library.repository.split('/').slice(-2).join('/')}`,
      'api/vendor/lib',
      library.revision(),
    )
    // What comes later is not what the repository names.
    addSubmodule(library, inner.repository, 'later', inner.revision())
    expect(await build({ submodules: true })).toMatchObject({
      'api/vendor/lib/lib.txt': 'lib',
      [`api/vendor/lib/${name}/inner.txt`]: 'inner',
      'app.txt': 'one',
    })
    expect(existsSync(host.at('repo/modules'))).toBe(true)
    expect(await build({ submodules: true, path: 'api' })).toMatchObject({
      'main.txt': 'api',
      'vendor/lib/lib.txt': 'lib',
      [`vendor/lib/${name}/inner.txt`]: 'inner',
    })
    // Without the option their folders stay empty, as git archive leaves them.
    expect(Object.keys((await build()) as object)).not.toContain('api/vendor/lib/lib.txt')
  })

  it.each([
    ['ext::sh -c "touch pwned"', 'which git would take for something else'],
    ['--upload-pack=touch pwned', 'which git would take for something else'],
  ])('with the address %s are refused', async (address, message) => {
    addSubmodule(server, address, 'lib', server.revision())
    expect(await build({ submodules: true })).toContain(message)
  })
})

/** Commits a submodule at a commit, without cloning it. */
function addSubmodule(to: GitServer, address: string, name: string, commit: string): void {
  const work = join(host.path, 'work')
  const run = (...args: readonly string[]): string =>
    execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@example.com', ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  run('clone', '-q', to.repository, work)
  appendFileSync(
    join(work, '.gitmodules'),
    `[submodule "${name}"]\n\tpath = ${name}\n\turl = ${JSON.stringify(address)}\n`,
  )
  run('-C', work, 'add', '.gitmodules')
  run('-C', work, 'update-index', '--add', '--cacheinfo', `160000,${commit},${name}`)
  run('-C', work, 'commit', '-qm', `Add ${name}`)
  run('-C', work, 'push', '-q', 'origin', 'master')
  rmSync(work, { recursive: true })
}
