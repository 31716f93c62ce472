import type { Shell } from '@deployfile/core'
import { describe, expect, it } from 'vitest'
import { choosePrograms, findPrograms } from '../../src/client/programs.ts'

/** A host whose search prints these lines. */
const hostThatFinds = (...lines: string[]): Shell =>
  ({
    host: { name: 'db1' },
    script: () =>
      Promise.resolve({
        stdout: lines.map((line) => `${line}\n`).join(''),
        stderr: '',
        truncated: false,
        durationMs: 1,
      }),
  }) as unknown as Shell

const all = ' psql pg_dump pg_restore'

describe('findPrograms', () => {
  it('takes folders that have all three', async () => {
    const shell = hostThatFinds(
      `/usr/local/bin\t psql\t`,
      `/usr/lib/postgresql/15/bin\t${all}\tpg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`,
      `/usr/lib/postgresql/17/bin\t${all}\tpg_dump (PostgreSQL) 17beta1`,
    )
    expect(await findPrograms(shell)).toEqual([
      { folder: '/usr/lib/postgresql/15/bin', version: '15.18', major: 15 },
      { folder: '/usr/lib/postgresql/17/bin', version: '17beta1', major: 17 },
    ])
  })

  it.each([
    [[], 'db1 has no psql, pg_dump, pg_restore'],
    [['/usr/bin\t psql\t'], 'db1 has no pg_dump, pg_restore'],
    [
      ['/a\t psql\t', '/b\t pg_dump pg_restore\tx'],
      'db1 has no psql, pg_dump, pg_restore together in one folder',
    ],
  ])('says what is missing: %j', async (lines, message) => {
    await expect(findPrograms(hostThatFinds(...lines))).rejects.toMatchObject({
      kind: 'check',
      code: 'PG_CLIENT_MISSING',
      message,
      details: { host: 'db1', hint: expect.stringContaining('apt-get install postgresql-client') as string },
    })
  })
})

describe('choosePrograms', () => {
  const programs = [17, 14, 16].map((major) => ({ folder: `/${major}`, version: `${major}.1`, major }))

  it('takes the nearest that is not older than the server', () => {
    expect(choosePrograms(programs, 14, 'db1', '').major).toBe(14)
    expect(choosePrograms(programs, 15, 'db1', '').major).toBe(16)
  })

  it('says which to install when all are older', () => {
    expect(() => choosePrograms(programs, 18, 'db1', 'the server is PostgreSQL 18.0')).toThrow(
      'the server is PostgreSQL 18.0, and db1 has client programs only of version 17.1, 14.1, 16.1',
    )
  })
})
