import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, rmSync, statSync, symlinkSync, unlinkSync, utimesSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { task } from '@deployfile/core'
import { thisProcess } from '../src/deploy/lock/process.ts'
import { makeSite, type Change, type HostFolder, type Site } from './site.ts'

const PATH = process.env['PATH'] ?? ''
let site: Site
beforeEach(() => {
  site = makeSite()
})
afterEach(async () => {
  process.env['PATH'] = PATH
  await site[Symbol.asyncDispose]()
})

const both = (): readonly HostFolder[] => [site.web1, site.db1]

async function deployed(change: Change = {}): Promise<string> {
  site.git.commit({ 'app.txt': `${Math.random()}` })
  const ran = await site.run('deploy', change)
  expect(ran.problems).toEqual([])
  return site.web1.live()
}

describe('deploy:rollback', () => {
  it('goes to the release before, then further back, then says that there is none', async () => {
    const [one, two, three] = [await deployed(), await deployed(), await deployed()]
    expect((await site.run('deploy:rollback')).problems).toEqual([])
    for (const host of both()) {
      expect(host.link('current')).toBe(`${host.deployTo}/releases/${two}`)
      expect(host.read('revisions.log').split('\n').at(-2)).toBe(`tester rolled back to release ${two}`)
      expect(host.ledger().slice(-3)).toEqual([`${three} rolled-back`, `${two} live`, `${two} restart`])
      expect(host.read('../restarts').trim().split('\n').at(-1)).toBe(host.read('current/REVISION').trim())
    }
    expect((await site.run('deploy:rollback')).problems).toEqual([])
    for (const host of both()) expect(host.live()).toBe(one)
    const last = await site.run('deploy:rollback')
    expect(last.problems).toEqual([
      `check NO_OLDER_RELEASE: there is no release before ${one} on web1, db1 to go back to`,
    ])
    for (const host of both()) expect(host.live()).toBe(one)
  })

  it('asks no git server, and does not go by the age of folders', async () => {
    const [, two] = [await deployed(), await deployed()]
    const one = site.web1.list('releases')[0] ?? ''
    const three = await deployed()
    for (const host of both()) {
      utimesSync(host.at(`releases/${one}`), new Date(), new Date(Date.now() + 60_000))
      rmSync(host.at('repo'), { recursive: true })
    }
    await site.git.remove()
    const times = both().map((host) =>
      [one, two, three].map((name) => statSync(host.at(`releases/${name}`)).mtimeMs),
    )
    expect((await site.run('deploy:rollback', { options: { rolledBack: 'keep' } })).problems).toEqual([])
    for (const host of both()) expect(host.live()).toBe(two)
    expect(
      both().map((host) => [one, two, three].map((name) => statSync(host.at(`releases/${name}`)).mtimeMs)),
    ).toEqual(times)
  })

  it('after a rollback and a new deploy does not pick the bad release', async () => {
    const [one, two] = [await deployed(), await deployed()]
    await site.run('deploy:rollback')
    const three = await deployed()
    expect([one < two, two < three]).toEqual([true, true])
    await site.run('deploy:rollback')
    for (const host of both()) expect(host.live()).toBe(one)
  })

  it('adopts releases that Capistrano made', async () => {
    for (const host of both()) {
      for (const name of ['20240101000000', '20240202000000'])
        host.write(`releases/${name}/REVISION`, `${'a'.repeat(40)}\n`)
      symlinkSync(host.at('releases/20240202000000'), host.at('current'))
    }
    expect((await site.run('deploy:rollback')).problems).toEqual([])
    for (const host of both()) expect(host.live()).toBe('20240101000000')
  })

  it('that fails half-way goes back to where it was, and starts that again', async () => {
    const [one, two] = [await deployed(), await deployed()]
    const ran = await site.run('deploy:rollback', {
      options: {
        restart: 'cat REVISION >> ../../../restarts; case $PWD in *db1*) [ -e ../../../ok ];; esac',
      },
    })
    expect(ran.status).toBe('failed')
    for (const host of both()) expect(host.live()).toBe(two)
    expect(site.web1.ledger().slice(-1)).toEqual([`${two} live`])
    site.db1.write('../ok')
    expect((await site.run('deploy:rollback')).problems).toEqual([])
    for (const host of both()) expect(host.live()).toBe(one)
  })

  /** As if the run that wrote the ledger's last line had been killed: its process is gone, its lock is there. */
  function killedLast(): void {
    const [last = ''] = site.web1.read('.deployfile/releases.jsonl').trim().split('\n').slice(-1)
    const { run } = JSON.parse(last) as { run: string }
    const since = Math.floor(Date.now() / 1000)
    const owner = { run, user: 'tester', process: { ...thisProcess(), pid: spawnSync('true').pid }, since }
    site.web1.write('.deployfile/lock/owner.1', `${JSON.stringify(owner)}\n`)
  }

  it('that was killed when every host was flipped is brought to its end when it is typed again, not further back', async () => {
    const [one, two, three] = [await deployed(), await deployed(), await deployed()]
    expect((await site.run('deploy:rollback', { options: { rolledBack: 'keep' } })).problems).toEqual([])
    // Twice: the one that was to bring it to its end, too.
    killedLast()
    const second = await site.run('deploy:rollback', { options: { rolledBack: 'keep' } })
    expect([second.problems, site.web1.live()]).toEqual([[], two])
    killedLast()
    const again = await site.run('deploy:rollback')
    expect(again.problems).toEqual([])
    expect(again.logs).toContain(
      `deploy:rollback:target: the rollback to ${two} that was killed is brought to its end`,
    )
    for (const host of both()) {
      expect([host.live(), host.list('releases')]).toEqual([two, [one, two]])
      expect(host.has(`rolled-back-release-${three}.tar.gz`)).toBe(true)
      expect(host.read('../restarts').trim().split('\n')).toHaveLength(6)
    }
    const named = { inputs: { release: one } }
    expect((await site.run('deploy:rollback', named)).problems).toEqual([])
    const refused = await site.run('deploy:rollback', named)
    expect(refused.problems).toEqual([`check NO_SUCH_RELEASE: the release ${one} is live already`])
    killedLast()
    expect((await site.run('deploy:rollback', named)).problems).toEqual([])
    for (const host of both()) expect([host.live(), host.list('releases')]).toEqual([one, [one]])
  })

  it('says so where nothing was ever deployed', async () => {
    const ran = await site.run('deploy:rollback')
    expect(ran.problems).toContain(`check NO_OLDER_RELEASE: web1: there is no ${site.web1.at('current')}`)
  })
})

describe('what a kill leaves', () => {
  it('is removed by the next deploy, and nothing else is', async () => {
    const one = await deployed()
    const killed = '20250101000000'
    for (const host of both()) {
      host.write(`releases/.20250202000000/20250202T000000000Z-abcd/app.txt`)
      host.write(`releases/.20250303000000.gone.20250303T000000000Z-abcd/app.txt`)
      host.write(`releases/${killed}/REVISION`, 'x')
      host.write(`releases/.keep/mine`)
      host.write('.deployfile/repo.20250202T000000000Z-abcd/HEAD')
      host.write('.deployfile/flip.20250202T000000000Z-abcd/current')
      const line = `{"release":"${killed}","state":"building","run":"gone","at":"2025-01-01T00:00:00Z","locked":true}`
      host.write(
        '.deployfile/releases.jsonl',
        `${host.read('.deployfile/releases.jsonl')}${line}\n{"release":"202`,
      )
    }
    const two = await deployed()
    for (const host of both()) {
      expect(host.list('releases')).toEqual(['.keep', one, two])
      expect(host.list('.deployfile')).toEqual(['releases.jsonl'])
      const lines = host.read('.deployfile/releases.jsonl').split('\n')
      expect(lines.filter((line) => line === '{"release":"202')).toHaveLength(1)
      expect(lines.at(-2)).toContain(`"release":"${two}","state":"live"`)
    }
  })

  it('never costs the live release, even where its line is missing', async () => {
    const one = await deployed()
    for (const host of both()) {
      const lines = host.read('.deployfile/releases.jsonl').split('\n')
      host.write('.deployfile/releases.jsonl', lines.filter((line) => !line.includes('"live"')).join('\n'))
    }
    const two = await deployed()
    const three = await deployed()
    for (const host of both()) expect(host.list('releases')).toEqual([one, two, three])
  })

  it('a stale releases/current does not swallow the next link', async () => {
    const one = await deployed()
    for (const host of both()) symlinkSync(host.at(`releases/${one}`), host.at('releases/current'))
    const two = await deployed()
    for (const host of both()) {
      expect(host.live()).toBe(two)
      expect(host.list('releases')).toEqual([one, two])
      expect(host.list(`releases/${one}`)).not.toContain(two)
    }
  })
})

describe('current is read back when it was switched', () => {
  it('so that a link which somebody else has set at that very moment fails the deploy, and stays', async () => {
    const one = await deployed()
    const other = `for to; do :; done; case "$*" in */flip.*) ln -sfn "\${to}releases/${one}" "\${to}current" ;; esac`
    site.web1.write('../../bin/mv', `#!/bin/sh\nPATH=\${PATH#*:}\nmv "$@" || exit\n${other}\n`)
    chmodSync(site.web1.at('../../bin/mv'), 0o755)
    const meet = task('meet', {
      effect: 'read',
      run: () => {
        process.env['PATH'] = `${site.path}/bin:${PATH}`
      },
    })
    site.git.commit({ 'app.txt': 'two' })
    const ran = await site.run('deploy', { hooks: () => ({ 'deploy:publishing': [meet] }) })
    process.env['PATH'] = PATH
    expect(ran.problems).toEqual(
      [site.db1, site.web1].map(
        (host) =>
          `task PUBLISH_FAILED: ${host === site.db1 ? 'db1' : 'web1'}: pointing current to the release failed: ${host.at('current')} was changed by somebody else at the same moment`,
      ),
    )
    for (const host of both()) expect([host.live(), host.list('releases')]).toEqual([one, [one]])
  })
})

describe('cleanup', () => {
  it('keeps the last releases, the live one and what is not a release', async () => {
    const one = await deployed()
    for (const host of both()) mkdirSync(host.at('releases/notes'))
    const two = await deployed({ options: { keepReleases: 2 } })
    const three = await deployed({ options: { keepReleases: 2 } })
    for (const host of both()) expect(host.list('releases')).toEqual([two, three, 'notes'])
    expect(one < two).toBe(true)
  })

  it('alone spares the live release when current is a relative link', async () => {
    const one = await deployed()
    await deployed()
    const three = await deployed()
    for (const host of both()) {
      unlinkSync(host.at('current'))
      symlinkSync(`releases/${one}`, host.at('current'))
    }
    expect((await site.run('deploy:cleanup', { options: { keepReleases: 1 } })).problems).toEqual([])
    for (const host of both()) expect(host.list('releases')).toEqual([one, three])
  })

  it('that fails only warns, and the next one removes what is left', async () => {
    const one = await deployed()
    const two = site.git.commit({ 'app.txt': 'x' })
    // As where files of another user's are in the way.
    site.web1.write(
      '../../bin/rm',
      `#!/bin/sh\nPATH=\${PATH#*:}\ncase "$*" in */releases/*.gone.*) exit 1 ;; esac\nexec rm "$@"\n`,
    )
    chmodSync(site.web1.at('../../bin/rm'), 0o755)
    const fail = task('break', {
      on: 'web',
      run: async ({ remote }) => {
        await remote.script('rm -f app/revisions.log; mkdir app/revisions.log')
        process.env['PATH'] = `${site.path}/bin:${PATH}`
      },
    })
    const options = { keepReleases: 1 }
    const ran = await site.run('deploy', { options, hooks: () => ({ 'deploy:finishing': [fail] }) as never })
    process.env['PATH'] = PATH
    expect(ran.status).toBe('done')
    expect(ran.nodes.get('deploy:log_revision@production/web1')?.status).toBe('warned')
    expect(ran.nodes.get('deploy:cleanup@production/web1')?.status).toBe('warned')
    expect(site.web1.read('current/REVISION')).toBe(`${two}\n`)
    expect(site.web1.list('releases')[0]).toContain(`.${one}.gone.`)
    rmSync(site.web1.at('revisions.log'), { recursive: true })
    const three = await deployed({ options })
    for (const host of both()) expect(host.list('releases')).toEqual([three])
  })
})

describe('alone', () => {
  it('deploy:restart restarts what is live, and nothing else', async () => {
    const one = await deployed()
    const before = both().map((host) => host.list('releases'))
    expect((await site.run('deploy:restart')).problems).toEqual([])
    for (const host of both()) {
      expect(host.read('../restarts').trim().split('\n')).toHaveLength(2)
      expect(host.live()).toBe(one)
    }
    expect(both().map((host) => host.list('releases'))).toEqual(before)
  })

  it('deploy:migrate runs in current', async () => {
    await deployed()
    expect((await site.run('deploy:migrate')).problems).toEqual([])
    expect(site.web1.read('../../migrations')).toBe(site.web1.read('current/REVISION'))
  })

  it('deploy:publish mends a link that is relative', async () => {
    const one = await deployed()
    for (const host of both()) {
      unlinkSync(host.at('current'))
      symlinkSync(`releases/${one}`, host.at('current'))
    }
    expect((await site.run('deploy:publish')).problems).toEqual([])
    for (const host of both()) expect(host.link('current')).toBe(host.at(`releases/${one}`))
  })
})
