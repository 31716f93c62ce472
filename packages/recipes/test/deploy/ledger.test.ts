import { describe, expect, it } from 'vitest'
import { ledgerLine, ledgerStart, readLedger } from '../../src/deploy/ledger.ts'

const entry = { release: '20261123120000', run: 'r1', at: '2026-11-23T12:00:00Z' } as const

describe('the ledger', () => {
  it('takes the last line about a release', () => {
    const lines = [ledgerLine({ ...entry, state: 'building' }), ledgerLine({ ...entry, state: 'live' })]
    expect(readLedger(lines).get(entry.release)?.state).toBe('live')
  })

  it('passes over lines that are torn, foreign or of an unknown state', () => {
    const lines = [
      '{"release":"20261123',
      'null',
      '[]',
      '7',
      '{"release":"1","state":"odd"}',
      '{"release":7}',
    ]
    expect([...readLedger(lines).keys()]).toEqual([])
  })

  it('starts its lines with what scripts search for, in one line whatever a user is called', () => {
    const line = ledgerLine({
      at: entry.at,
      user: 'a\nb',
      run: 'r1',
      state: 'building',
      release: entry.release,
    })
    expect(line.startsWith(ledgerStart(entry.release, 'building', 'r1'))).toBe(true)
    expect(line).not.toContain('\n')
  })
})
