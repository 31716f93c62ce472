import { describe, expect, it } from 'vitest'
import type { LiveDatabase } from '../../src/restore/live.ts'
import { copyStatements, createStatement } from '../../src/restore/settings.ts'

const live: LiveDatabase = {
  ...{ oid: 1, owner: 'app "x"', encoding: 'UTF8', open: true, connectionLimit: -1, comment: null },
  ...{ tablespace: 'pg_default', grants: null, settings: [] },
  row: { datcollate: 'C.UTF-8', datctype: 'C.UTF-8', datlocprovider: 'c', daticulocale: null },
}

describe('createStatement', () => {
  it('copies owner, encoding and locale', () => {
    expect(createStatement('t', live)).toBe(
      `CREATE DATABASE "t" TEMPLATE template0 OWNER "app ""x""" ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8';`,
    )
  })

  it.each([
    [{ datlocprovider: 'i', daticulocale: 'de-DE' }, "LOCALE_PROVIDER icu ICU_LOCALE 'de-DE'"],
    [{ datlocprovider: 'i', datlocale: 'de-DE', daticurules: '&a' }, "ICU_LOCALE 'de-DE' ICU_RULES '&a'"],
    [{ datlocprovider: 'b', datlocale: 'C.UTF-8' }, "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"],
  ])('knows the columns of every version: %j', (row, part) => {
    expect(createStatement('t', { ...live, row: { ...live.row, ...row } })).toContain(part)
  })

  it('takes the defaults of the server for a database that is new', () => {
    expect(createStatement('t', undefined)).toBe('CREATE DATABASE "t" TEMPLATE template0;')
  })
})

describe('copyStatements', () => {
  const one = (name: string, value: string, role: string | null = null) =>
    copyStatements('t', { ...live, settings: [{ role, name, value }] })[0]

  it('gives lists back as lists', () => {
    expect(one('search_path', '"$user", public, "odd, ""name"')).toBe(
      `ALTER DATABASE "t" SET "search_path" TO '$user', 'public', 'odd, "name';`,
    )
    expect(one('search_path', '""')).toBe(`ALTER DATABASE "t" SET "search_path" TO '';`)
  })

  it('gives values back as one text', () => {
    expect(one('my.setting', "it's, two")).toBe(`ALTER DATABASE "t" SET "my"."setting" TO 'it''s, two';`)
    expect(one('work_mem', '7MB', 'r')).toBe(`ALTER ROLE "r" IN DATABASE "t" SET "work_mem" TO '7MB';`)
  })

  it('gives no more rights than there were', () => {
    const statements = copyStatements('t', {
      ...live,
      grants: [{ grantee: null, privilege: 'CONNECT', grantable: false }],
    })
    expect(statements[0]).toBe('REVOKE ALL ON DATABASE "t" FROM PUBLIC, "app ""x""";')
    expect(statements[1]).toBe('GRANT CONNECT ON DATABASE "t" TO PUBLIC;')
  })
})
