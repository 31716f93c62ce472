import { describe, expect, it } from 'vitest'
import { parseDatabaseUrl } from '../../src/connection/url.ts'

const read = (url: string) => parseDatabaseUrl(url).connection

describe('parseDatabaseUrl', () => {
  it('reads the short forms that libpq knows', () => {
    expect(read('postgresql:///app_dev')).toEqual({ database: 'app_dev', parameters: {} })
    expect(read('postgres://app@/app_production')).toEqual({
      database: 'app_production',
      user: 'app',
      parameters: {},
    })
  })

  it('reads host, port and parameters', () => {
    expect(
      read('postgresql://app@10.0.0.5:6432/app?sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem'),
    ).toEqual({
      database: 'app',
      host: '10.0.0.5',
      port: 6432,
      user: 'app',
      parameters: { sslmode: 'verify-full', sslrootcert: '/etc/ca.pem' },
    })
  })

  it('reads IPv6 addresses and socket folders', () => {
    expect(read('postgresql://[::1]:5433/a')).toMatchObject({ host: '::1', port: 5433 })
    expect(read('postgresql://%2Frun%2Fpg/a')).toMatchObject({ host: '/run/pg' })
    expect(read('postgresql:///a?host=/run/pg&port=5433')).toMatchObject({ host: '/run/pg', port: 5433 })
  })

  it('takes a password out of the connection', () => {
    const { connection, password } = parseDatabaseUrl('postgresql://app:p%40ss%3Aw@h/a')
    expect(password).toBe('p@ss:w')
    expect(JSON.stringify(connection)).not.toContain('p@ss')
  })

  it('keeps hostile names as names', () => {
    const url = `postgresql://${encodeURIComponent('u@evil/x')}@h/${encodeURIComponent('a?host=evil \'x\' "y"')}`
    expect(read(url)).toMatchObject({ user: 'u@evil/x', host: 'h', database: 'a?host=evil \'x\' "y"' })
  })

  it.each([
    ['mysql://h/a', 'postgresql://'],
    ['app_dev', 'postgresql://'],
    ['postgresql://h', 'no database'],
    ['postgresql://h/', 'no database'],
    ['postgresql://h:0/a', "port '0'"],
    ['postgresql://h:99999/a', "port '99999'"],
    ['postgresql://h1,h2/a', 'several hosts'],
    ['postgresql://h/a%zz', '%'],
    ['postgresql://h/a%0Ab', 'control characters'],
    ['postgresql://h/a?options=-c%20x', "parameter 'options'"],
    ['postgresql://h/a?sslmod=require', "parameter 'sslmod'"],
  ])('refuses %s', (url, part) => {
    expect(() => parseDatabaseUrl(url)).toThrow(part)
  })

  it('never repeats a URL, which may hold a password', () => {
    for (const url of [
      'mysql://app:hunter2@h/a',
      'postgresql://app:hunter2@h/',
      'postgresql://app:hunter2@h/a?x=1',
    ]) {
      expect(() => parseDatabaseUrl(url)).toThrow(/^(?!.*hunter2)/)
    }
  })
})
