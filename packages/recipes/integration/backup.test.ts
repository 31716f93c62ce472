import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { task } from '@deployfile/core'
import type { TasksBeforeMigrate } from '../src/index.ts'
import { makeSite, type Ran, type Site } from './site.ts'

let site: Site
let old: string
beforeEach(async () => {
  site = makeSite()
  expectDone(await site.run('deploy'))
  old = site.web1.live()
  site.git.commit({ 'app.txt': 'two' })
})
afterEach(() => site[Symbol.asyncDispose]())

const live = (): readonly string[] => [site.web1, site.db1].map((host) => host.live())

function expectDone(ran: Ran): void {
  expect(ran.problems).toEqual([])
  expect(ran.status).toBe('done')
}

describe('backup', () => {
  const backup = task('db:backup:create', {
    on: { role: 'db', pick: 'primary' },
    effect: 'read',
    run: async ({ remote, host }) => {
      await remote.script('ls app/releases > backup.pgdump; readlink app/current >> backup.pgdump')
      return { file: '/backups/shop.pgdump', on: host.name }
    },
  })

  it('is made when the release is there and nothing is migrated; a migration that fails names its file', async () => {
    const ran = await site.run('deploy:migrations', {
      options: { backup, migrate: 'test -s ../../../backup.pgdump; exit 1' },
    })
    expect(ran.hints[0]).toContain('The backup that was made before: /backups/shop.pgdump on db1')
    const lines = site.db1.read('../backup.pgdump').trim().split('\n')
    expect(lines).toHaveLength(3)
    expect(lines[2]).toBe(site.db1.at(`releases/${old}`))
  })

  const named = 'The backup that was made before: /backups/shop.pgdump on db1'

  it('is named by whatever fails after the flip, also by what is stopped there, and not where all is well', async () => {
    const well = await site.run('deploy:migrations', { options: { backup } })
    expectDone(well)
    expect(well.logs.join('\n')).not.toContain(named)
    const stays = await site.run('deploy:migrations', { options: { backup, restart: 'exit 1' } })
    expect(stays.hints[0]).toMatch(new RegExp(`because migrations ran.*\n${named}$`, 's'))
    expect(stays.logs.join('\n')).not.toContain(named)
    const goesBack = { restart: 'exit 1', onUnhealthy: 'rollback-despite-migrations' } as const
    const back = await site.run('deploy:migrations', { options: { backup, ...goesBack } })
    expect(back.hints.filter((hint) => hint.endsWith(named))).toHaveLength(2)
    const stopped = await site.run('deploy:migrations', {
      options: { backup, verify: { command: 'exit 1', wait: '10s' } },
      onEvent(event, stop) {
        if (event.type === 'node.log' && event.message.startsWith('attempt 1')) stop()
      },
    })
    expect(stopped.status).toBe('cancelled')
    expect(stopped.logs.join('\n')).toContain(named)
  })

  it.each([
    ['a hook after the migration', {}, { 'deploy:publishing': true }],
    [
      'a migration of the project’s own',
      {
        migrate: (tasks: TasksBeforeMigrate) =>
          task('deploy:migrate', {
            on: { role: 'db', pick: 'primary' },
            needs: { release: tasks.release },
            run: () => Promise.reject(new Error('no such table')),
          }),
      },
      {},
    ],
  ] as const)('is named at the end where %s fails', async (_, options, hooks) => {
    const broken = task('broken', {
      effect: 'read',
      run: () => Promise.reject(new Error('the chat is down')),
    })
    const ran = await site.run('deploy:migrations', {
      options: { backup, ...options },
      hooks: () => Object.fromEntries(Object.keys(hooks).map((name) => [name, [broken]])),
    })
    expect(ran.status).toBe('failed')
    expect(ran.logs.at(-1)).toBe(`deploy:migrate@db1: ${named}`)
  })

  it('that fails keeps the run from migrating', async () => {
    const bad = task('db:backup:create', {
      on: { role: 'db', pick: 'primary' },
      run: () => {
        throw new Error('disk full')
      },
    })
    const ran = await site.run('deploy:migrations', { options: { backup: bad } })
    expect(ran.problems[0]).toContain('disk full')
    expect(site.web1.has('../../migrations')).toBe(false)
    expect(live()).toEqual([old, old])
  })

  it('is no part of a deploy that does not migrate', async () => {
    expectDone(await site.run('deploy', { options: { backup } }))
    expect(site.db1.has('../backup.pgdump')).toBe(false)
  })
})
