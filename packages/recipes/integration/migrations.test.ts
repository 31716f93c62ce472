import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { DeployOptions } from '../src/index.ts'
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

describe('migrations that a plain deploy does not run', () => {
  const options: Partial<DeployOptions> = { migrations: 'db/migrate' }
  const add = (name: string): string => site.git.commit({ [`db/migrate/${name}`]: 'x' })

  it('are told, and it goes on', async () => {
    add('20260101000000_users.rb')
    const ran = await site.run('deploy', { options })
    expectDone(ran)
    expect(ran.logs.filter((line) => line.startsWith('deploy:pending_migrations'))).toEqual([
      'deploy:pending_migrations@web1: the release has 1 migration that the live one has not, and this deploy does not run it:',
      'deploy:pending_migrations@web1:   20260101000000_users.rb',
      'deploy:pending_migrations@web1: To run them: npx deployfile production deploy:migrations',
    ])
    expect((await site.run('deploy', { options })).logs.join()).not.toContain('pending_migrations')
  })

  it("are refused with 'refuse', and asked about with 'ask'", async () => {
    const one = site.web1.live()
    add('20260101000000_users.rb')
    const refused = await site.run('deploy', { options: { ...options, pendingMigrations: 'refuse' } })
    expect(refused.problems[0]).toContain('task MIGRATIONS_PENDING: web1: the release has 1 migration')
    expect(refused.hints[0]).toBe('To run them: npx deployfile production deploy:migrations')
    for (const host of both()) expect([host.live(), host.list('releases')]).toEqual([one, [one]])
    const asked: unknown[] = []
    const ran = await site.run('deploy', {
      options: { ...options, pendingMigrations: 'ask' },
      ask: (question) => {
        asked.push(question)
        return Promise.resolve()
      },
    })
    expectDone(ran)
    expect(asked).toHaveLength(1)
    expect(asked[0]).toMatchObject({ answer: 'production', mayBeYes: true })
  })

  it('are no matter where they are run', async () => {
    add('20260101000000_users.rb')
    const refuse: Partial<DeployOptions> = { ...options, pendingMigrations: 'refuse' }
    expectDone(await site.run('deploy:migrations', { options: refuse }))
  })
})

describe('a rollback', () => {
  const options: Partial<DeployOptions> = { migrations: 'db/migrate' }

  it('shows the migrations that the older code lacks, and asks only then', async () => {
    const one = site.web1.live()
    site.git.commit({ 'db/migrate/20260101000000_users.rb': 'x' })
    expectDone(await site.run('deploy:migrations', { options }))
    const two = site.web1.live()
    site.git.commit({ 'app.txt': 'three' })
    expectDone(await site.run('deploy', { options }))
    const questions: string[] = []
    const ask = ({ message }: { message: string }): Promise<void> => {
      questions.push(message)
      return questions.length === 1 ? Promise.reject(new Error('no')) : Promise.resolve()
    }
    expectDone(await site.run('deploy:rollback', { options, ask }))
    expect([site.web1.live(), questions]).toEqual([two, []])
    const no = await site.run('deploy:rollback', { options, ask })
    expect(no.status).toBe('failed')
    expect(questions).toEqual([
      `${one} lacks 1 migration of ${two}, which the database keeps:\n  20260101000000_users.rb\nGo back all the same if the older code works with that database.`,
    ])
    expect(site.web1.live()).toBe(two)
    expectDone(await site.run('deploy:rollback', { options, ask }))
    expect(site.web1.live()).toBe(one)
  })

  it('to a release that is named goes there, and only there', async () => {
    const one = site.web1.live()
    site.git.commit({ 'app.txt': 'two' })
    expectDone(await site.run('deploy'))
    const two = site.web1.live()
    site.git.commit({ 'app.txt': 'three' })
    expectDone(await site.run('deploy'))
    const three = site.web1.live()
    expectDone(await site.run('deploy:rollback', { inputs: { release: one } }))
    for (const host of both()) expect([host.live(), host.list('releases')]).toEqual([one, [one, two]])
    // What was skipped on the way is still good, and forward is a way, too.
    expectDone(await site.run('deploy:rollback', { inputs: { release: two } }))
    for (const host of both()) expect([host.live(), host.list('releases')]).toEqual([two, [one, two]])
    const gone = await site.run('deploy:rollback', { inputs: { release: three } })
    expect(gone.problems[0]).toContain(`check NO_SUCH_RELEASE: the release ${three} is not on web1, db1`)
    await expect(site.run('deploy:rollback', { inputs: { release: '../../etc' } })).rejects.toThrow(
      'a release is 14 digits; deploy:releases lists them',
    )
  })
})

describe('migrations that a command tells', () => {
  const options: Partial<DeployOptions> = {
    migrations: { command: 'cat migrations.txt; echo; echo Database: shop' },
  }
  const asking = (questions: string[]) => ({
    options,
    ask: ({ message }: { message: string }): Promise<void> => {
      questions.push(message)
      return Promise.resolve()
    },
  })

  it('are those that it says in one release only, before a deploy and before a rollback', async () => {
    site.git.commit({ 'migrations.txt': 'up 1 users' })
    expectDone(await site.run('deploy:migrations', { options }))
    const one = site.web1.live()
    site.git.commit({ 'migrations.txt': 'up 1 users\n  up 2 `it`\nup 3 $(touch pwned)' })
    const refused = await site.run('deploy', { options: { ...options, pendingMigrations: 'refuse' } })
    expect(refused.problems[0]).toMatch(/has 2 migrations .*\n {2}up 2 `it`\n {2}up 3 \$\(touch pwned\)$/s)
    expectDone(await site.run('deploy', { options }))
    const questions: string[] = []
    expectDone(await site.run('deploy:rollback', asking(questions)))
    expect(questions).toHaveLength(1)
    expect(questions[0]).toContain(`${one} lacks 2 migrations of`)
    expect([site.web1.live(), site.web1.has('current/pwned')]).toEqual([one, false])
  })

  it('are asked about where it fails, as in a release that is broken: a rollback must be possible from there', async () => {
    const old = site.web1.live()
    const warned = await site.run('deploy', { options })
    expectDone(warned)
    const why = 'web1: listing the migrations failed: cat: migrations.txt: No such file or directory'
    expect(warned.logs).toContain(
      `deploy:pending_migrations@web1: it cannot be told whether the release has migrations that the live one has not: ${why}`,
    )
    const refused = await site.run('deploy', { options: { ...options, pendingMigrations: 'refuse' } })
    expect(refused.problems[0]).toContain('MIGRATIONS_UNKNOWN')
    const questions: string[] = []
    expectDone(await site.run('deploy:rollback', asking(questions)))
    expect(questions).toEqual([
      `It cannot be told whether ${old} lacks migrations that the database has: ${why}\nGo back all the same if the older code works with that database.`,
    ])
    expect(site.web1.live()).toBe(old)
  })
})
