import { describe, expect, it } from 'vitest'
import { choosePruned, type Keep } from '../../src/backup/prune.ts'
import type { Backup } from '../../src/backup/manifest.ts'

const now = new Date('2026-11-23T18:00:00.000Z')
const made = (days: number, database = 'app') =>
  ({
    application: 'shop',
    stage: 'dev',
    database,
    file: `${database}-${days}`,
    createdAt: new Date(now.getTime() - days * 24 * 3600 * 1000).toISOString(),
  }) as Backup
const listed = [0, 1, 2, 10, 40, 50].map((days) => made(days))
const pruned = (keep: Keep, done: readonly Backup[] = listed) =>
  choosePruned(done, keep, now).map(({ file }) => file)

describe('which backups are pruned', () => {
  it.each<[string, Keep, string[]]>([
    ['no rule', {}, []],
    ['only a minimum, which is no rule to remove by', { minimum: 2 }, []],
    ['the newest two', { last: 2 }, ['app-2', 'app-10', 'app-40', 'app-50']],
    ['more than there are', { last: 9 }, []],
    ['younger than 5 days', { days: 5 }, ['app-10', 'app-40', 'app-50']],
    ['both: what either keeps stays', { last: 4, days: 5 }, ['app-40', 'app-50']],
    ['days, but three in any case', { days: 0.5, minimum: 3 }, ['app-10', 'app-40', 'app-50']],
    [
      'the newest stays whatever its age',
      { days: 0.0001, minimum: 0 },
      ['app-1', 'app-2', 'app-10', 'app-40', 'app-50'],
    ],
  ])('%s', (_, keep, removed) => {
    expect(pruned(keep)).toEqual(removed)
  })

  it('counts each database by itself, and never takes the last of one', () => {
    const other = [made(1, 'a'), made(3, 'b'), made(300, 'b'), made(900, 'c')]
    expect(pruned({ last: 1 }, other)).toEqual(['b-300'])
    expect(pruned({ days: 1 }, other)).toEqual(['b-300'])
  })
})
