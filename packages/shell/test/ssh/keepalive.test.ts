import { PassThrough } from 'node:stream'
import type { Client } from 'ssh2'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { hearEverything, keepalive, patience } from '../../src/ssh/keepalive.ts'
import type { Settings } from '../../src/ssh/settings.ts'

const asked = (keepaliveInterval?: number, keepaliveCount?: number) =>
  ({ keepaliveInterval, keepaliveCount }) as Settings

describe('how long a silent host is waited for', () => {
  test.each([
    ['nothing said in ssh_config', asked(), 20],
    ['ServerAliveInterval 60', asked(60_000, 3), 20],
    ['ServerAliveInterval 5, ServerAliveCountMax 1000', asked(5_000, 1_000), 20],
    ['ServerAliveInterval 1, ServerAliveCountMax 1000', asked(1_000, 1_000), 20],
    ['ServerAliveInterval 4', asked(4_000, 3), 16],
    ['ServerAliveInterval 1, ServerAliveCountMax 2', asked(1_000, 2), 3],
  ])('%s', (_name, settings, seconds) => {
    expect(patience(settings)).toBe(seconds)
    const { keepaliveInterval, keepaliveCountMax } = keepalive(settings)
    expect(keepaliveInterval * (keepaliveCountMax + 1)).toBe(seconds * 1000)
  })
})

describe('what counts as a sign of life', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
  afterEach(() => void vi.useRealTimers())

  test('whatever the host says, told twice a second at most', () => {
    vi.advanceTimersByTime(10_000)
    let resets = 0
    const stream = new PassThrough()
    hearEverything({ _resetKA: () => ++resets } as unknown as Client, {
      stream,
      address: undefined,
      hangUp: () => undefined,
      setback: () => undefined,
    })
    for (let at = 0; at < 100; at++) {
      stream.emit('data', Buffer.from('x'))
      vi.advanceTimersByTime(10)
    }
    expect(resets).toBe(2)
  })
})
