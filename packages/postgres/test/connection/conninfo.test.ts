import { describe, expect, it } from 'vitest'
import { conninfo, sessionVariables } from '../../src/connection/conninfo.ts'
import { libraryConnection } from '../../src/client/library.ts'

const hostile = { database: "a' host=evil \\", user: 'u@x/y', host: '::1', port: 5, parameters: {} }

describe('conninfo', () => {
  it('quotes every value', () => {
    expect(conninfo(hostile)).toBe("host='::1' port='5' user='u@x/y' dbname='a\\' host=evil \\\\'")
  })

  it('leaves out what is not given', () => {
    expect(conninfo({ database: 'a', parameters: { sslmode: 'require' } })).toBe(
      "dbname='a' sslmode='require'",
    )
  })
})

describe('sessionVariables', () => {
  it('makes the server refuse writes where a database is only read', () => {
    expect(sessionVariables({ readOnly: true }).PGOPTIONS).toContain('default_transaction_read_only=on')
    expect(sessionVariables({ readOnly: false }).PGOPTIONS).not.toContain('read_only')
    expect(sessionVariables({ readOnly: true })).toMatchObject({
      PGCONNECT_TIMEOUT: '10',
      PGAPPNAME: 'deployfile',
    })
  })
})

describe('libraryConnection', () => {
  it('encodes what the package pastes into a URL', () => {
    expect(libraryConnection(hostile)).toEqual({
      database: "a'%20host%3Devil%20%5C",
      username: 'u%40x%2Fy',
      host: '[::1]',
      port: 5,
      password: '',
    })
  })

  it('keeps the slash by which the package knows a socket', () => {
    expect(libraryConnection({ database: 'a', host: '/tmp/x y&z', port: 1, parameters: {} }).host).toBe(
      '/tmp%2Fx%20y%26z',
    )
  })
})
