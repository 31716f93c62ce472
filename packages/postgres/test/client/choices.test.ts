import { describe, expect, it } from 'vitest'
import { chooseCompression, dumpArguments } from '../../src/client/choices.ts'

describe('how a backup is packed', () => {
  it.each([
    [undefined, 15, '1', 'zlib:1'],
    ['auto', 15, '1', 'zlib:1'],
    ['auto', 16, 'zstd:1', 'zstd:1'],
    [undefined, 18, 'zstd:1', 'zstd:1'],
    [9, 15, '9', 'zlib:9'],
    ['gzip:3', 17, '3', 'zlib:3'],
    ['zlib', 15, '6', 'zlib:6'],
    ['zstd:19', 16, 'zstd:19', 'zstd:19'],
    ['lz4', 16, 'lz4', 'lz4'],
  ])('%s with pg_dump %i is --compress=%s', (wanted, major, argument, told) => {
    expect(chooseCompression(wanted, major)).toEqual({ argument, told })
  })

  it.each([0, 10, 'none', 'zstd:99', 'zlib:0', 'zip', '', 'zstd:1; rm'])('refuses %s', (wanted) => {
    expect(() => chooseCompression(wanted, 17)).toThrow('cannot be compressed by')
  })

  it('says since when pg_dump knows the others', () => {
    expect(() => chooseCompression('zstd:1', 15)).toThrow("pg_dump 15 does not know the compression 'zstd:1'")
  })
})

describe('what a backup leaves out', () => {
  it('is one argument each, whatever stands in a pattern', () => {
    const choices = {
      excludeTables: ['audit.*', "it's; rm"],
      excludeTableData: ['sessions'],
      schemaOnly: true,
    }
    expect(dumpArguments(choices)).toEqual([
      '--exclude-table=audit.*',
      "--exclude-table=it's; rm",
      '--exclude-table-data=sessions',
      '--schema-only',
    ])
    expect(dumpArguments({})).toEqual([])
  })
})
