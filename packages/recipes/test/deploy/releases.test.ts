import { perHost, type Host } from '@deployfile/core'
import { expect, it } from 'vitest'
import { describeReleases, releaseTable, type ListedRelease } from '../../src/deploy/releases.ts'

const SHA = 'a'.repeat(40)
const line = (entry: object): string => `ledger\t${JSON.stringify({ run: 'r', at: '', ...entry })}\n`

it('says of each release its state, who deployed it and when', () => {
  const facts = [
    'live\t20260404000000\n',
    ...['20260101000000', '20260202000000', '20260303000000', '20260404000000'].map(
      (name) => `release\t${name}\tcomplete\t${SHA}\n`,
    ),
    `release\t20260505000000\t-\nrelease\t.20260506000000.failed\tcomplete\n`,
    line({ release: '20260303000000', state: 'building', user: 'Carol', branch: 'fix' }),
    line({ release: '20260303000000', state: 'live', user: 'Carol' }),
    line({ release: '20260303000000', state: 'rolled-back', user: 'Dave' }),
    'logged\t20260101000000\nlogged\t20260404000000\n',
    `said\tBranch master (at ${SHA}) deployed as release 20260101000000 by alice\n`,
    `said\tBranch feat (x) (at ${SHA}) deployed as release 20260404000000 by bob (ops)\n`,
    'said\tbob rolled back to release 20260101000000\n',
  ].join('')
  const listed = describeReleases(facts)
  expect(listed.map(({ name, status, user }) => [name.slice(4, 8), status, user])).toEqual([
    ['0506', 'failed', undefined],
    ['0505', 'incomplete', undefined],
    ['0404', 'live', 'bob (ops)'],
    ['0303', 'rolled back', 'Carol'],
    ['0202', 'failed', undefined],
    ['0101', 'good', 'alice'],
  ])
  expect(listed[2]).toEqual({
    ...{ name: '20260404000000', status: 'live', revision: SHA, branch: 'feat (x)', user: 'bob (ops)' },
    at: '2026-04-04T00:00:00.000Z',
  })
})

const host = (name: string): Host => ({ name }) as Host
const release = (name: string, status: ListedRelease['status']): ListedRelease => ({
  ...{ name, status, revision: SHA, branch: 'master', user: 'alice', at: '2026-01-02T03:04:05.000Z' },
})

it('is one table of all hosts, which names hosts only where they differ', () => {
  const hosts = perHost([
    { host: host('web1'), value: [release('20260102030405', 'live'), release('20260101000000', 'good')] },
    {
      host: host('db1'),
      value: [release('20260102030405', 'live'), release('20260101000000', 'rolled back')],
    },
  ])
  expect(releaseTable(hosts)).toEqual([
    'RELEASE         STATE        REVISION    BRANCH  BY     AT (UTC)',
    '20260102030405  live         aaaaaaaaaa  master  alice  2026-01-02 03:04:05',
    '20260101000000  good         aaaaaaaaaa  master  alice  2026-01-02 03:04:05  web1',
    '20260101000000  rolled back  aaaaaaaaaa  master  alice  2026-01-02 03:04:05  db1',
  ])
  expect(releaseTable(perHost([{ host: host('web1'), value: [] }]))).toEqual(['there are no releases'])
})
