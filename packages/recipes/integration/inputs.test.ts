import { task } from '@deployfile/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeSite, type HostFolder, type Ran, type Site } from './site.ts'

let site: Site
beforeEach(async () => {
  site = makeSite()
  expectDone(await site.run('deploy', { user: 'Alice' }))
})
afterEach(() => site[Symbol.asyncDispose]())

const both = (): readonly HostFolder[] => [site.web1, site.db1]

function expectDone(ran: Ran): void {
  expect(ran.problems).toEqual([])
  expect(ran.status).toBe('done')
}

describe('branch= and revision=', () => {
  it('beat the config, and are what the log says', async () => {
    const first = site.git.revision()
    const fix = site.git.commit({ 'app.txt': 'fixed' }, 'Fix')
    site.git.git('branch', 'fix/it', 'master')
    site.git.git('update-ref', 'refs/heads/master', first)
    expectDone(await site.run('deploy', { inputs: { branch: 'fix/it' } }))
    expect(site.web1.read('current/REVISION')).toBe(`${fix}\n`)
    expect(site.web1.read('revisions.log')).toContain(`Branch fix/it (at ${fix}) deployed as release`)
    const ran = await site.run('deploy:migrations', { inputs: { revision: first } })
    expectDone(ran)
    expect(ran.logs.join('\n')).toContain(`deploy:revision@web1: ${first} is ${first}; the release is `)
    expect(site.web1.read('current/REVISION')).toBe(`${first}\n`)
  })

  it('a branch that moves meanwhile is the same commit on all hosts: that which it was when it was looked for', async () => {
    const found = site.git.commit({ 'app.txt': 'found' }, 'Found')
    const push = task('push', {
      effect: 'read',
      run: () => {
        site.git.commit({ 'app.txt': 'too late' }, 'Too late')
      },
    })
    expectDone(await site.run('deploy', { hooks: () => ({ 'deploy:started': [push] }) }))
    for (const host of both()) {
      expect(host.read('current/REVISION')).toBe(`${found}\n`)
      expect(host.read('current/app.txt')).toBe('found')
    }
  })

  it.each([
    [{ branch: '-x' }, '"-x" cannot be the name of a branch or tag'],
    [{ branch: 'a b' }, 'cannot be the name'],
    [{ branch: 'a\nb' }, 'cannot be the name'],
    [{ branch: '--upload-pack=touch pwned' }, 'cannot be the name'],
    [{ revision: 'abc123' }, '"abc123" is not the full hash of a commit; git rev-parse gives it'],
    [{ revision: '$(touch pwned)' }, 'is not the full hash of a commit'],
    [{ branch: 'master', revision: 'a'.repeat(40) }, 'branch and revision contradict each other: give one'],
  ])('%j is refused before anything is connected', async (inputs, message) => {
    await expect(site.run('deploy', { inputs })).rejects.toThrow(message)
  })

  it.each(['a;touch${IFS}pwned;b', '$(touch${IFS}pwned)', '`touch${IFS}pwned`', `it's"quoted"`])(
    'a branch %s on the command line is deployed, and never run',
    async (branch) => {
      site.git.git('branch', branch, 'master')
      expectDone(await site.run('deploy', { inputs: { branch } }))
      expect(site.web1.read('revisions.log')).toContain(`Branch ${branch} (at `)
      for (const host of both()) expect([host.has('pwned'), host.has('../pwned')]).toEqual([false, false])
    },
  )
})

it('the name of the application is shown as it is, and never run', async () => {
  const application = '-rf;$(touch${IFS}pwned)`touch${IFS}pwned`&&<b>"it\'s'
  const options = { application, linkedDirs: ['public/system'] }
  expectDone(await site.run(['deploy', 'deploy:maintenance:on', 'deploy:lock:status'], { options }))
  const shown = "-rf;$(touch${IFS}pwned)`touch${IFS}pwned`&amp;&amp;&lt;b&gt;&quot;it's"
  for (const host of both()) {
    expect(host.read('shared/public/system/maintenance.html')).toContain(`<title>${shown}: down`)
    expect(host.list('')).not.toContain('pwned')
    expect([host.has('../pwned'), host.has('current/pwned')]).toEqual([false, false])
  }
})
