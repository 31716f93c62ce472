import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Host, Shell } from '@deployfile/core'
import { checkHost } from '../src/deploy/check.ts'
import type { OnHost } from '../src/deploy/layout.ts'
import { stageOptions } from '../src/deploy/stage-options.ts'
import { makeSite, REQUIRED_FILE, type Site } from './site.ts'

let site: Site
beforeEach(() => {
  site = makeSite()
})
afterEach(() => site[Symbol.asyncDispose]())

/** Neither host has anything but what the test put there. */
function expectNothingMade(): void {
  for (const host of [site.web1, site.db1]) expect(host.list('')).toEqual(['shared'])
}

describe('before anything is made', () => {
  it('a missing linked file is named with its host, its path and what to do', async () => {
    rmSync(site.db1.at(`shared/${REQUIRED_FILE}`))
    const ran = await site.run('deploy')
    const path = site.db1.at(`shared/${REQUIRED_FILE}`)
    expect(ran.problems).toEqual([`check HOST_NOT_READY: db1: the linked file ${path} is missing`])
    expect(ran.hints[0]).toBe(
      `Put it there: mkdir -p ${site.db1.at('shared/config')} && cp ${REQUIRED_FILE} ${path}`,
    )
    expectNothingMade()
  })

  it('every host tells everything that is missing', async () => {
    const options = { linkedFiles: ['a.yml', 'config/b.yml'], linkedDirs: [REQUIRED_FILE] }
    const ran = await site.run('deploy', { options })
    expect(ran.problems).toHaveLength(2)
    const { deployTo } = site.web1
    expect(ran.problems[1]).toBe(
      `check HOST_NOT_READY: web1 is not ready: the linked file ${deployTo}/shared/a.yml is missing; ` +
        `the linked file ${deployTo}/shared/config/b.yml is missing; ${deployTo}/shared/${REQUIRED_FILE} is not a folder`,
    )
  })

  it('a wrong branch is answered with the nearest and the known ones', async () => {
    const ran = await site.run('deploy', { options: { branch: 'mastre' } })
    expect(ran.problems).toEqual([
      `check BRANCH_UNKNOWN: the repository ${site.git.repository} has no branch or tag "mastre"`,
    ])
    expect(ran.hints[0]).toBe(`Did you mean 'master'? It has master. A commit is named by its full hash.`)
    expectNothingMade()
  })

  it('a part of a branch’s name is not the branch', async () => {
    site.git.git('branch', 'feature/master', 'master')
    site.git.git('branch', 'feature/x', 'master')
    const ran = await site.run('deploy', { options: { branch: 'x' } })
    expect(ran.problems[0]).toContain('BRANCH_UNKNOWN')
  })

  it('a repository that cannot be read is reported by each host with git’s own reason', async () => {
    const ran = await site.run('deploy', { options: { repository: '/nowhere/shop.git' } })
    expect(ran.problems).toEqual(
      ['db1', 'web1'].map(
        (name) =>
          `check REPOSITORY_UNREACHABLE: ${name} cannot read the repository /nowhere/shop.git: fatal: '/nowhere/shop.git' does not appear to be a git repository`,
      ),
    )
    expect(ran.hints[1]).toBe(
      'Is the address right, as seen from that host? To see it for yourself, on web1: git ls-remote /nowhere/shop.git',
    )
    expectNothingMade()
  })

  it('a host that is new and cannot read it is named before anything is begun on the others', async () => {
    expect((await site.run('deploy')).problems).toEqual([])
    const before = [site.web1, site.db1].map((host) => host.list('releases'))
    rmSync(site.db1.at('repo'), { recursive: true })
    // The address leads somewhere on web1 only.
    symlinkSync(site.git.repository, join(site.path, 'web1/shop.git'))
    const ran = await site.run('deploy', { options: { repository: 'shop.git' } })
    expect(ran.problems).toHaveLength(1)
    expect(ran.problems[0]).toMatch(
      /^check REPOSITORY_UNREACHABLE: db1 cannot read the repository shop\.git: /,
    )
    expect(ran.nodes.get('deploy:started')?.status).not.toBe('done')
    expect([site.web1, site.db1].map((host) => host.list('releases'))).toEqual(before)
  })

  it('a folder named current is refused', async () => {
    mkdirSync(site.web1.at('current'))
    site.web1.write('current/precious', 'x')
    const ran = await site.run('deploy')
    const current = site.web1.at('current')
    expect(ran.problems).toEqual([`check HOST_NOT_READY: web1: ${current} is not a link`])
    expect(ran.hints[0]).toContain(`mv ${current} ${current}.old`)
    expect(site.web1.read('current/precious')).toBe('x')
    const rollback = await site.run('deploy:rollback')
    expect(rollback.problems.join('\n')).toContain(`${current} is not a link`)
  })

  it('a file where a folder has to be is named', async () => {
    site.web1.write('releases', 'x')
    const ran = await site.run('deploy')
    expect(ran.problems).toEqual([`check HOST_NOT_READY: web1: ${site.web1.at('releases')} is not a folder`])
  })

  it('a release that is named after no time is refused: order by name would mean nothing', async () => {
    mkdirSync(site.web1.at('releases/99999999999999'), { recursive: true })
    const ran = await site.run('deploy')
    expect(ran.problems[0]).toBe(
      'check RELEASE_NAME_INVALID: web1: the newest release 99999999999999 is named after no time',
    )
  })

  it('deploy:check alone passes, and changes nothing', async () => {
    expect((await site.run('deploy:check')).status).toBe('done')
    expectNothingMade()
  })

  it('deploy:check alone asks for the branch, too, also where a mirror is there', async () => {
    expect((await site.run('deploy')).problems).toEqual([])
    const wrong = await site.run('deploy:check', { options: { branch: 'mastre' } })
    expect(wrong.problems).toHaveLength(2)
    expect(wrong.problems[0]).toContain('has no branch or tag "mastre"')
    await site.git.remove()
    const gone = await site.run('deploy:check')
    expect(gone.problems.map((problem) => problem.replace(/ the repository.*/, ''))).toEqual([
      'check REPOSITORY_UNREACHABLE: db1 cannot read',
      'check REPOSITORY_UNREACHABLE: web1 cannot read',
    ])
  })
})

describe('hostile names', () => {
  it.each([
    '$(touch${IFS}pwned)',
    'a;touch${IFS}pwned;b',
    '`touch${IFS}pwned`',
    `it's"quoted"`,
    '&&touch${IFS}pwned',
    '|touch${IFS}pwned',
    'fix(#7)<>',
  ])('a branch %s is deployed, and never run', async (branch) => {
    site.git.git('branch', branch, 'master')
    const ran = await site.run('deploy', { options: { branch } })
    expect(ran.problems).toEqual([])
    expect(site.web1.read('revisions.log')).toContain(`Branch ${branch} (at ${site.git.revision()})`)
    for (const host of [site.web1, site.db1])
      expect([host.has('pwned'), host.has('../pwned'), host.has('repo/pwned')]).toEqual([false, false, false])
  })

  it('a linked file and a deployTo with quotes, spaces and commands are only names', async () => {
    const name = `config/it's $(touch pwned) "x".yml`
    const odd = `app`
    site.web1.write(`shared/${name}`, 'odd')
    site.db1.write(`shared/${name}`, 'odd')
    const ran = await site.run('deploy', { options: { linkedFiles: [name], deployTo: odd } })
    expect(ran.problems).toEqual([])
    expect(site.web1.read(`current/${name}`)).toBe('odd')
    const elsewhere = await site.run('deploy', {
      options: { linkedFiles: [], deployTo: `it's; $(touch pwned) \`x\` "` },
    })
    expect(elsewhere.problems).toEqual([])
    expect(site.web1.has(`../it's; $(touch pwned) \`x\` "/current/REVISION`)).toBe(true)
    expect(site.web1.has('../pwned')).toBe(false)
  })
})

const host: Host = {
  ...{
    name: 'web1',
    stage: 'production',
    roles: ['web'],
    transport: 'local',
    address: 'web1',
    primary: false,
  },
  props: {},
}

describe('permissions', () => {
  it('a folder that may not be written to is named', async () => {
    // Root may write everywhere: the script runs as nobody then.
    const nobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}
    const remote = {
      host,
      script: (text: string, values: readonly string[]) => {
        const stdout = execFileSync('sh', ['-euc', text, 'sh', ...values], {
          cwd: '/',
          encoding: 'utf8',
          ...nobody,
        })
        return Promise.resolve({ stdout, stderr: '', truncated: false, durationMs: 0 })
      },
    } as unknown as Shell
    chmodSync(site.path, 0o711)
    chmodSync(site.web1.deployTo, 0o555)
    const options = stageOptions(
      { application: 'shop', repository: '/r', branch: 'main', deployTo: site.web1.deployTo },
      { name: 'production', protected: false },
    )
    await expect(checkHost({ host, remote } as OnHost, options)).rejects.toThrow(
      `web1 is not ready: ${site.web1.deployTo} may not be written to; ${site.web1.at('shared')} may not be written to`,
    )
  })
})
