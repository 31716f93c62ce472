import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { DeployOptions } from '../src/index.ts'
import { makeSite, type HostFolder, type Ran, type Site } from './site.ts'

let site: Site
beforeEach(() => {
  site = makeSite()
})
afterEach(() => site[Symbol.asyncDispose]())

const both = (): readonly HostFolder[] => [site.web1, site.db1]

function expectDone(ran: Ran): void {
  expect(ran.problems).toEqual([])
  expect(ran.status).toBe('done')
}

describe('the maintenance page', () => {
  const options: Partial<DeployOptions> = { linkedDirs: ['public/system'] }

  it('is shown by every host until it is taken away', async () => {
    expectDone(await site.run('deploy', { options }))
    expectDone(
      await site.run('deploy:maintenance:on', { options, inputs: { message: 'Back at <6> & "pm"' } }),
    )
    for (const host of both()) {
      const page = host.read('current/public/system/maintenance.html')
      expect(page).toContain('<p>Back at &lt;6&gt; &amp; &quot;pm&quot;</p>')
    }
    expectDone(await site.run('deploy:maintenance:off', { options }))
    for (const host of both()) expect(host.has('current/public/system/maintenance.html')).toBe(false)
    expectDone(await site.run('deploy:maintenance:off', { options }))
  })

  it('may be the project’s own, elsewhere', async () => {
    writeFileSync(join(site.path, 'down.html'), '<h1>{{message}}</h1>')
    const own = { ...options, maintenance: { page: 'down.html', path: 'public/system/down/index.html' } }
    expectDone(await site.run('deploy:maintenance:on', { options: own, inputs: { message: 'soon' } }))
    expect(site.db1.read('shared/public/system/down/index.html')).toBe('<h1>soon</h1>')
  })

  it('where nobody would find it is refused before anything is connected', async () => {
    await expect(site.run('deploy:maintenance:on', { options: { linkedDirs: ['log'] } })).rejects.toThrow(
      'the maintenance page would be shared/public/system/maintenance.html, which is in no linked folder',
    )
  })

  it('goes when what comes after it fails', async () => {
    const change = { options, hooks: () => ({}) }
    expectDone(await site.run('deploy', change))
    await site.run(['deploy:maintenance:on', 'deploy:migrations'], {
      options: { ...options, migrate: 'exit 1' },
    })
    for (const host of both()) expect(host.has('shared/public/system/maintenance.html')).toBe(false)
  })
})

describe('uploads', () => {
  const options: Partial<DeployOptions> = { linkedDirs: ['public/system', 'log'], uploads: ['public/system'] }
  const here = (path: string): string => join(site.path, path)

  it('are pulled from a stage, in place of what is here', async () => {
    site.web1.write('shared/public/system/avatars/1.png', 'one')
    site.web1.write('shared/log/production.log', 'private')
    mkdirSync(here('public/system'), { recursive: true })
    writeFileSync(here('public/system/old.png'), 'old')
    expectDone(await site.run('shared:pull', { options }))
    expect(readFileSync(here('public/system/avatars/1.png'), 'utf8')).toBe('one')
    expect(readdirSync(here('public'))).toEqual(['system'])
    expect(readdirSync(here('public/system'))).toEqual(['avatars'])
    expect(existsSync(here('log'))).toBe(false)
  })

  it('that are not there leave what is here', async () => {
    mkdirSync(here('public/system'), { recursive: true })
    writeFileSync(here('public/system/old.png'), 'old')
    const ran = await site.run('shared:pull', { options })
    expect(ran.status).toBe('failed')
    expect(readdirSync(here('public/system'))).toEqual(['old.png'])
    expect(readdirSync(here('public'))).toEqual(['system'])
  })

  it('are pushed to every host of a stage, in place of what is there', async () => {
    mkdirSync(here('public/system'), { recursive: true })
    writeFileSync(here('public/system/new.png'), 'new')
    site.web1.write('shared/public/system/old.png', 'old')
    expectDone(await site.run('shared:push', { options }))
    for (const host of both()) {
      expect(host.list('shared/public/system')).toEqual(['new.png'])
      expect(host.list('shared/public')).toEqual(['system'])
    }
  })

  it('are never pushed to a protected stage', async () => {
    await expect(site.run('shared:push', { options, isProtected: true })).rejects.toThrow(
      "uploads are never pushed to 'production', which is protected",
    )
    site.web1.write('shared/public/system/x', 'x')
    expectDone(await site.run('shared:pull', { options, isProtected: true }))
  })

  it('must be said which they are', async () => {
    await expect(site.run('shared:pull')).rejects.toThrow('deploy() does not say which folders hold uploads')
    await expect(site.run('shared:pull', { options: { uploads: ['nope'] } })).rejects.toThrow(
      "the upload folder 'nope' is no linked folder",
    )
  })
})

describe('a server that Capistrano 2 has deployed to', () => {
  const options: Partial<DeployOptions> = { linkedDirs: ['log', 'tmp/pids', 'public/system'] }
  beforeEach(() => {
    for (const host of both()) {
      for (const dir of ['log', 'pids', 'system']) host.write(`shared/${dir}/x`, dir)
      host.write('releases/20240101000000/REVISION', `${'a'.repeat(40)}\n`)
      mkdirSync(host.at('releases/20240101000000/public'))
      symlinkSync(host.at('shared/system'), host.at('releases/20240101000000/public/system'))
      symlinkSync(host.at('releases/20240101000000'), host.at('current'))
    }
  })

  it('is not taken for an empty one: its flat shared folders are explained, with what to type', async () => {
    const ran = await site.run('deploy', { options })
    const { deployTo } = site.db1
    expect(ran.problems[0]).toBe(
      `check HOST_NOT_READY: db1 is not ready: ${deployTo}/shared/pids is where Capistrano 2 kept tmp/pids; now that is ${deployTo}/shared/tmp/pids, which is not there; ` +
        `${deployTo}/shared/system is where Capistrano 2 kept public/system; now that is ${deployTo}/shared/public/system, which is not there`,
    )
    expect(ran.hints[0]).toContain(
      `cd ${deployTo}/shared && mkdir -p public && mv system public/system && ln -s public/system system`,
    )
    expect(site.db1.live()).toBe('20240101000000')
  })

  it('is deployed to when that was typed, and the old release still finds its files', async () => {
    for (const host of both()) {
      mkdirSync(host.at('shared/public'))
      renameSync(host.at('shared/system'), host.at('shared/public/system'))
      symlinkSync('public/system', host.at('shared/system'))
      mkdirSync(host.at('shared/tmp/pids'), { recursive: true })
    }
    expect(site.web1.read('current/public/system/x')).toBe('system')
    expectDone(await site.run('deploy', { options }))
    expect(site.web1.read('current/public/system/x')).toBe('system')
    expectDone(await site.run('deploy:rollback', { options }))
    expect(site.web1.live()).toBe('20240101000000')
    expect(site.web1.read('current/public/system/x')).toBe('system')
  })
})
