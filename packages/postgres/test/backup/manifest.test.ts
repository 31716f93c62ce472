import { describe, expect, it } from 'vitest'
import { formatManifest, parseManifest, type BackupManifest } from '../../src/backup/manifest.ts'

const manifest: BackupManifest = {
  ...{ v: 1, status: 'done', application: 'app', stage: 'production', database: 'app', host: 'db1' },
  ...{ identity: { system: '7300000000000000001', oid: 16384 }, createdAt: '2026-11-23T18:15:02.123Z' },
  ...{ finishedAt: '2026-11-23T18:15:09.000Z', serverVersion: '15.18', clientVersion: '15.18' },
  ...{ archiveVersion: '1.14', format: 'custom', compress: 'zlib:1', bytes: 10, sha256: 'a'.repeat(64) },
  ...{ tocEntries: 3, tables: 1, extensions: [] },
}

describe('a manifest', () => {
  it('comes back as it was written, on one line', () => {
    const text = formatManifest({ ...manifest, file: '/x', on: 'db1' } as BackupManifest)
    expect(text.trim()).not.toContain('\n')
    expect(parseManifest(text)).toEqual(manifest)
  })

  it.each([
    ['nothing', ''],
    ['half of it', formatManifest(manifest).slice(0, 80)],
    ['another status', JSON.stringify({ ...manifest, status: 'building' })],
    ['a sha256 that is none', JSON.stringify({ ...manifest, sha256: 'x' })],
    ['a later version', JSON.stringify({ ...manifest, v: 2 })],
  ])('is not trusted when it is %s', (_, text) => {
    expect(parseManifest(text)).toBeUndefined()
  })
})
