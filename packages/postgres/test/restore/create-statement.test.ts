import { expect, test } from 'vitest'
import type { LiveDatabase } from '../../src/restore/live.ts'
import { createStatement } from '../../src/restore/settings.ts'

const live: LiveDatabase = {
  oid: 16385,
  owner: 'app',
  encoding: 'UTF8',
  open: true,
  connectionLimit: -1,
  comment: null,
  tablespace: 'pg_default',
  row: { datcollate: 'C', datctype: 'C', datlocprovider: 'c' },
  grants: null,
  settings: [],
}

test('the default tablespace is not named: only a superuser, or who was granted it, could', () => {
  expect(createStatement('new', live)).toBe(
    `CREATE DATABASE "new" TEMPLATE template0 OWNER "app" ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C';`,
  )
})

test('another tablespace is kept', () => {
  expect(createStatement('new', { ...live, tablespace: 'fast' })).toMatch(/ TABLESPACE "fast";$/)
})
