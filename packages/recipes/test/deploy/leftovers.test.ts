import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { readState, type HostState } from '../../src/deploy/host-state.ts'
import { leftovers } from '../../src/deploy/leftovers.ts'
import { ledgerLine } from '../../src/deploy/ledger.ts'
import { thisProcess } from '../../src/deploy/lock/process.ts'

const NAME = '20260101000000'
const here = thisProcess()
const gone = { ...here, pid: spawnSync('true').pid }

/** A host on which a run is building a release, or was. */
function building(more: object, old = ''): HostState {
  const line = ledgerLine({ release: NAME, state: 'building', run: 'r1', at: '', ...more })
  return readState(`release\t.${NAME}\t-\nrelease\t${NAME}\tcomplete\nledger\t${line}\n${old}`)
}
const ALL = [`.${NAME}`, NAME]

describe('a release that is not finished', () => {
  it('is left by a run that has lost the lock which I hold', () => {
    expect(leftovers(building({ locked: true }), { run: 'r2', locked: true })).toEqual(ALL)
    expect(leftovers(building({ locked: true }), { run: 'r2', locked: false })).toEqual([])
  })

  it('made without a lock is left when its process has surely ended, or nothing has changed for a day', () => {
    const asker = { run: 'r2', locked: true }
    expect(leftovers(building({ locked: false }), asker)).toEqual([])
    expect(leftovers(building({ locked: false, process: here }), asker)).toEqual([])
    expect(leftovers(building({ process: gone }), asker)).toEqual(ALL)
    expect(leftovers(building({ process: here }, `old\t.${NAME}\nold\t${NAME}\n`), asker)).toEqual(ALL)
  })

  it('is not left when it is my own', () => {
    expect(leftovers(building({ locked: true, process: gone }), { run: 'r1', locked: true })).toEqual([])
  })

  it('is none when it is live, whatever its last line says', () => {
    const state = readState(
      `live\t${NAME}\nrelease\t${NAME}\tcomplete\nledger\t${ledgerLine({ release: NAME, state: 'building', run: 'r', at: '', locked: true })}\n`,
    )
    expect(leftovers(state, { run: 'r2', locked: true })).toEqual([])
  })
})

describe('a folder under a dot name', () => {
  const folders = (...names: string[]): HostState =>
    readState(names.map((name) => `release\t${name}\t-\n`).join(''))

  it('that is being removed is always left; what was kept, or is nobody’s, never', () => {
    const state = folders(`.${NAME}.gone.r1`, `.${NAME}.failed`, '.2026')
    expect(leftovers(state, { run: 'r2', locked: false })).toEqual([`.${NAME}.gone.r1`])
  })

  it('without a line in the ledger may be about to get one: only who holds the lock knows better', () => {
    expect(leftovers(folders(`.${NAME}`), { run: 'r2', locked: false })).toEqual([])
    expect(leftovers(folders(`.${NAME}`), { run: 'r2', locked: true })).toEqual([`.${NAME}`])
  })
})
