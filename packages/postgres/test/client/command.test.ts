import type { Shell } from '@deployfile/core'
import { expect, it } from 'vitest'
import { failureProblem } from '../../src/client/command.ts'
import type { Site } from '../../src/site.ts'

const site = { shell: { host: { name: 'db1' } } as Shell } as Site

it('a restore that lacks a role says how it is made; nothing else does', () => {
  const lines = ['pg_restore: error: could not execute query: ERROR:  role "the reader" does not exist']
  const failed = (program: string) =>
    failureProblem(site, { database: 'app', parameters: {} }, program, lines, 1)
  expect(failed('/usr/bin/pg_restore').details.hint).toBe('Make it on that server: CREATE ROLE "the reader";')
  expect(failed('/usr/bin/psql').details.hint).toBeUndefined()
})
