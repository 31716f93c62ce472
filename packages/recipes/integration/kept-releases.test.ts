import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TAKE_AWAY } from '../src/deploy/remove.ts'
import type { DeployOptions } from '../src/index.ts'
import { makeSite, type HostFolder, type Ran, type Site } from './site.ts'

let site: Site
let old: string
beforeEach(async () => {
  site = makeSite()
  expectDone(await site.run('deploy'))
  old = site.web1.live()
  site.git.commit({ 'app.txt': 'two' })
})
afterEach(() => site[Symbol.asyncDispose]())

const both = (): readonly HostFolder[] => [site.web1, site.db1]
const live = (): readonly string[] => both().map((host) => host.live())

function expectDone(ran: Ran): void {
  expect(ran.problems).toEqual([])
  expect(ran.status).toBe('done')
}

describe('a failed release', () => {
  it("with failedReleases: 'keep' stays under a dot name that no rollback picks, until there are newer ones", async () => {
    const options: Partial<DeployOptions> = { failedReleases: 'keep', migrate: 'exit 1', keepReleases: 1 }
    await site.run('deploy:migrations', { options })
    const [kept = ''] = site.web1.list('releases')
    expect(kept).toMatch(/^\.\d{14}\.failed$/)
    expect(site.web1.read(`releases/${kept}/app.txt`)).toBe('two')
    expect(site.web1.list('releases')).toEqual([kept, old])
    const again = await site.run('deploy:migrations', { options })
    expect(again.logs.join('\n')).toContain('the failed release stays in ')
    expect(site.web1.list('releases')).toHaveLength(3)
    expectDone(await site.run('deploy', { options }))
    for (const host of both()) {
      const names = host.list('releases')
      expect(names).toHaveLength(2)
      expect(names[0]).toMatch(/\.failed$/)
      expect(names[0]).not.toBe(kept)
    }
  })

  it('goes also where its build has taken away the right to write', () => {
    // Root may write everywhere: the script runs as nobody then.
    const nobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}
    const to = mkdtempSync(join(tmpdir(), 'deployfile-remove-'))
    chmodSync(to, 0o777)
    const sh = (script: string): string =>
      execFileSync('sh', ['-euc', script, 'sh', to], { encoding: 'utf8', cwd: '/', ...nobody })
    sh('mkdir -p "$1/releases/20260101000000/go/mod"; touch "$1/releases/20260101000000/go/mod/file"')
    sh('chmod 555 "$1/releases/20260101000000/go/mod" "$1/releases/20260101000000/go"')
    sh(`to=$1 run=r1\n${TAKE_AWAY}\ntake_away 20260101000000`)
    expect(sh('ls -A "$1/releases"')).toBe('')
    rmSync(to, { recursive: true })
  })
})

describe('a release that was rolled back', () => {
  it('is packed as Capistrano does it, and removed', async () => {
    expectDone(await site.run('deploy'))
    const bad = site.web1.live()
    expectDone(await site.run('deploy:rollback'))
    for (const host of both()) {
      expect([host.live(), host.list('releases')]).toEqual([old, [old]])
      const archive = host.at(`rolled-back-release-${bad}.tar.gz`)
      const members = execFileSync('tar', ['-tzf', archive], { encoding: 'utf8' }).split('\n')
      expect(members[0]).toBe(`${host.deployTo.slice(1)}/releases/${bad}/`)
      expect(members).toContain(`${host.deployTo.slice(1)}/releases/${bad}/app.txt`)
      expect(host.list('.deployfile')).toEqual(['releases.jsonl'])
    }
  })

  it('is packed after everything else has ended, so that nobody waits for gzip', async () => {
    expectDone(await site.run('deploy'))
    const begun: string[] = []
    await site.run('deploy:rollback', {
      onEvent(event) {
        if (event.type === 'node.started' && event.phase === 'run') begun.push(event.node.replace(/@.*/, ''))
      },
    })
    const archive = begun.indexOf('deploy:rollback:archive')
    for (const before of ['deploy:restart', 'deploy:healthy', 'deploy:log_revision', 'deploy:finished'])
      expect(begun.lastIndexOf(before)).toBeLessThan(archive)
  })

  it("stays with rolledBack: 'keep', and is not gone back to", async () => {
    expectDone(await site.run('deploy'))
    const bad = site.web1.live()
    expectDone(await site.run('deploy:rollback', { options: { rolledBack: 'keep' } }))
    for (const host of both()) expect(host.list('releases')).toEqual([old, bad])
    const three = await site.run('deploy')
    expectDone(three)
    expectDone(await site.run('deploy:rollback', { options: { rolledBack: 'keep' } }))
    expect(live()).toEqual([old, old])
  })

  it('that cannot be packed stays, with a warning: the rollback is done', async () => {
    expectDone(await site.run('deploy'))
    const bad = site.web1.live()
    mkdirSync(site.web1.at(`rolled-back-release-${bad}.tar.gz/x`), { recursive: true })
    const ran = await site.run('deploy:rollback')
    expect(ran.status).toBe('done')
    expect(ran.nodes.get('deploy:rollback:archive@production/web1')?.status).toBe('warned')
    expect(live()).toEqual([old, old])
    expect(site.web1.list('releases')).toEqual([old, bad])
    expect(site.db1.list('releases')).toEqual([old])
  })
})
