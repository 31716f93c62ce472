import { describe, expect, it } from 'vitest'
import { backupName, temporaryKind, newStamp, stampOf, temporaryName } from '../../src/backup/name.ts'

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

describe('newStamp', () => {
  it('gives twenty backups of one moment twenty names', () => {
    const times = Array.from({ length: 20 }, () => newStamp().time)
    expect(new Set(times).size).toBe(20)
    expect([...times].sort()).toEqual(times)
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
      expect(temporaryKind(temporaryName('app', 'restore', one), 'app')).toBe('restore')
    }
  })
})

describe('temporaryName', () => {
  it('fits into the 63 bytes of a name, whole characters only', () => {
    const name = temporaryName('ä'.repeat(60), 'restore', stamp)
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63)
    expect(name).not.toContain('\ufffd')
    expect(temporaryKind(name, 'ä'.repeat(60))).toBe('restore')
  })

  it('is told from databases of others', () => {
    expect(temporaryKind('app_restore_20261123t181502123z_abcd', 'app')).toBe('restore')
    expect(temporaryKind('app_old_20261123t181502123z_abcd', 'app')).toBe('old')
    for (const name of [
      'app',
      'app_restore',
      'app_restore_2026',
      'app_old',
      'other_restore_20261123t181502123z_abcd',
    ]) {
      expect(temporaryKind(name, 'app')).toBeUndefined()
    }
    expect(temporaryKind('app_x_restore_20261123t181502123z_abcd', 'app')).toBeUndefined()
  })

  it('of two long names that begin alike are not taken for each other', () => {
    const [one, two] = ['a', 'b'].map((end) => `a_database_with_a_name_that_is_rather_long_${end}`) as [
      string,
      string,
    ]
    expect(temporaryKind(temporaryName(one, 'old', stamp), one)).toBe('old')
    expect(temporaryKind(temporaryName(one, 'old', stamp), two)).toBeUndefined()
  })
})
