import { renameSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { git, type Pending } from '../src/index.ts'
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

describe('deploy:releases', () => {
  it('lists what is live, what one may go back to and what was rolled back, with revision, who and when', async () => {
    const one = site.web1.live()
    const first = site.git.revision()
    const second = site.git.commit({ 'app.txt': 'two' })
    expectDone(await site.run('deploy', { user: 'Bob' }))
    const two = site.web1.live()
    expectDone(await site.run('deploy:rollback', { options: { rolledBack: 'keep' } }))
    const ran = await site.run('deploy:releases')
    const rows = ran.logs.map((line) => line.replace('deploy:releases: ', '').split(/ {2,}/))
    expect(rows.map((row) => row.slice(0, 5))).toEqual([
      ['RELEASE', 'STATE', 'REVISION', 'BRANCH', 'BY'],
      [two, 'rolled back', second.slice(0, 10), 'master', 'Bob'],
      [one, 'live', first.slice(0, 10), 'master', 'Alice'],
    ])
    expect(rows[1]?.[5]).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/)
  })
})

describe('deploy:pending', () => {
  const pendingOf = (ran: Ran): Pending => ran.nodes.get('deploy:pending@production/web1')?.result as Pending

  it('shows the commits and the files between what is live and what would be deployed', async () => {
    const from = site.git.revision()
    site.git.commit({ 'app.txt': 'two' }, 'It\'s $(touch pwned) `x`; "y"\twith a tab')
    const to = site.git.commit({ 'new.txt': 'x' }, 'Add a file')
    const before = both().map((host) => [host.list(''), host.list('releases'), host.link('current')])
    const ran = await site.run('deploy:pending')
    expectDone(ran)
    expect(pendingOf(ran)).toMatchObject({ branch: 'master', from, to, lost: [] })
    expect(pendingOf(ran).commits.map(({ subject }) => subject)).toEqual([
      'Add a file',
      'It\'s $(touch pwned) `x`; "y"\twith a tab',
    ])
    const said = ran.logs.join('\n')
    expect(said).toContain('2 commits would be deployed:')
    expect(said).toContain(`${to.slice(0, 10)} Add a file (A developer)`)
    expect(said).toMatch(/app\.txt \| 2 \+-/)
    expect(said).toContain('2 files changed')
    expect(both().map((host) => [host.list(''), host.list('releases'), host.link('current')])).toEqual(before)
  })

  it('shows of a repository only what touches the folder that is deployed', async () => {
    const options = { source: git({ path: 'api' }) }
    site.git.commit({ 'api/main.txt': 'one', 'web/main.txt': 'one' })
    expectDone(await site.run('deploy', { options }))
    site.git.commit({ 'web/main.txt': 'two' }, 'The web')
    const none = await site.run('deploy:pending', { options })
    expectDone(none)
    expect(pendingOf(none)).toMatchObject({ path: 'api', commits: [], stat: '' })
    expect(none.logs.at(-1)).toBe('deploy:pending@web1: nothing in api changes')

    site.git.commit({ 'api/main.txt': 'two', 'web/other.txt': 'x' }, 'Both')
    const both = await site.run('deploy:pending', { options })
    expect(pendingOf(both).commits.map(({ subject }) => subject)).toEqual(['Both'])
    expect(pendingOf(both).stat).toMatch(/^ api\/main\.txt \| 2 \+-\n 1 file changed/)
  })

  it('says what would be gone when the branch is behind, and that nothing is pending', async () => {
    const old = site.git.revision()
    site.git.commit({ 'app.txt': 'two' }, 'Two')
    expectDone(await site.run('deploy'))
    const back = await site.run('deploy:pending', { inputs: { revision: old } })
    expect(pendingOf(back).lost.map(({ subject }) => subject)).toEqual(['Two'])
    expect(back.logs.join('\n')).toContain('1 commit would be gone:')
    const none = await site.run('deploy:pending')
    expect(none.logs[0]).toMatch(/master is live already: [0-9a-f]{10}$/)
  })

  it('says so where nothing is deployed', async () => {
    renameSync(site.web1.at('current'), site.web1.at('was'))
    const ran = await site.run('deploy:pending')
    expect(ran.problems[0]).toMatch(
      /^check NO_RELEASE: web1: .*\/current\/REVISION is not there, or no commit$/,
    )
  })
})
