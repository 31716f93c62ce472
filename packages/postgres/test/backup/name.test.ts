import { describe, expect, it } from 'vitest'
import { backupName, isTemporaryOf, newStamp, stampOf, temporaryName } from '../../src/backup/name.ts'

const run = { id: '20261123T181502123Z-3f9a', startedAt: new Date('2026-11-23T18:15:02.123Z') }
const stamp = { time: '20261123T181502123Z', hex: 'abcd' }

describe('backupName', () => {
  it('sorts by time and holds nothing that a shell or a file system minds', () => {
    const label = { application: 'my app', stage: 'production', database: 'a/b"c_d' }
    expect(backupName(label, stamp)).toBe('my-app_production_a-b-c_d_20261123T181502123Z_abcd.pgdump')
  })

  it('stays below the limit of file systems', () => {
    const long = 'ä'.repeat(300)
    expect(
      backupName({ application: long, stage: 'x'.repeat(300), database: 'y'.repeat(300) }, stamp).length,
    ).toBeLessThan(200)
  })
})

describe('stampOf', () => {
  it('is the same for the same run and purpose, and another for another', () => {
    expect(stampOf(run, 'dump')).toEqual(stampOf(run, 'dump'))
    expect(stampOf(run, 'dump').hex).not.toBe(stampOf(run, 'create').hex)
    expect(stampOf(run, 'dump').time).toBe('20261123T181502123Z')
  })

  it('has the form that names are recognised by', () => {
    for (const one of [newStamp(), stampOf(run, 'x')]) {
      expect(isTemporaryOf(temporaryName('app', 'restore', one), 'app')).toBe(true)
    }
  })
})

describe('temporaryName', () => {
  it('fits into the 63 bytes of a name, whole characters only', () => {
    const name = temporaryName('ä'.repeat(60), 'restore', stamp)
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63)
    expect(name).not.toContain('\ufffd')
    expect(isTemporaryOf(name, 'ä'.repeat(60))).toBe(true)
  })

  it('is told from databases of others', () => {
    expect(isTemporaryOf('app_restore_20261123t181502123z_abcd', 'app')).toBe(true)
    expect(isTemporaryOf('app_old_20261123t181502123z_abcd', 'app')).toBe(true)
    for (const name of [
      'app',
      'app_restore',
      'app_restore_2026',
      'app_old',
      'other_restore_20261123t181502123z_abcd',
    ]) {
      expect(isTemporaryOf(name, 'app')).toBe(false)
    }
    expect(isTemporaryOf('app_x_restore_20261123t181502123z_abcd', 'app')).toBe(false)
  })
})
