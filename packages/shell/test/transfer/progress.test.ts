import type { CommandEvent } from '@deployfile/core'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { progress } from '../../src/transfer/progress.ts'

beforeEach(() => vi.useFakeTimers({ toFake: ['performance'], now: 1_000_000 }))
afterEach(() => vi.useRealTimers())

test('tells at most five times a second, the first bytes and the end always', () => {
  const told: CommandEvent[] = []
  const tell = progress((event) => told.push(event), 'web1', '/srv/a')
  for (let bytes = 1; bytes <= 1_000; bytes++) {
    vi.advanceTimersByTime(1)
    tell(bytes, 1_000)
  }
  const numbers = told.map((event) => (event.type === 'transfer' ? event.bytes : -1))
  expect(numbers).toEqual([1, 201, 401, 601, 801, 1_000])
  expect(told[0]).toEqual({ type: 'transfer', host: 'web1', path: '/srv/a', bytes: 1, total: 1_000 })
})

test('the end is told once', () => {
  const told: CommandEvent[] = []
  const tell = progress((event) => told.push(event), 'web1', '/srv/a')
  tell(10, 10)
  tell(10, 10)
  expect(told).toHaveLength(1)
})

test('a listener that fails does not break the transfer', () => {
  const tell = progress(
    () => {
      throw new Error('the disk is full')
    },
    'web1',
    '/srv/a',
  )
  expect(() => {
    tell(1, 2)
  }).not.toThrow()
})
