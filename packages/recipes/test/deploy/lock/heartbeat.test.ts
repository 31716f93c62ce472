import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { startHeartbeat } from '../../../src/deploy/lock/heartbeat.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

it('beats every 20 seconds, also after a beat that failed, until there is nothing to keep alive', async () => {
  const answers = [true, new Error('connection lost'), true, false]
  const beat = vi.fn(() => {
    const answer = answers.shift()
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer === true)
  })
  startHeartbeat(beat)
  await vi.advanceTimersByTimeAsync(19_999)
  expect(beat).toHaveBeenCalledTimes(0)
  await vi.advanceTimersByTimeAsync(1)
  expect(beat).toHaveBeenCalledTimes(1)
  await vi.advanceTimersByTimeAsync(600_000)
  expect(beat).toHaveBeenCalledTimes(4)
  expect(vi.getTimerCount()).toBe(0)
})

it('stops: no beat starts any more, and the one under way is waited for', async () => {
  let end = (): void => undefined
  const beat = vi.fn(() => new Promise<boolean>((resolve) => (end = () => resolve(true))))
  const heart = startHeartbeat(beat, 10)
  await vi.advanceTimersByTimeAsync(10)
  let stopped = false
  const stopping = heart.stop().then(() => (stopped = true))
  await vi.advanceTimersByTimeAsync(100)
  expect(stopped).toBe(false)
  end()
  await stopping
  await vi.advanceTimersByTimeAsync(100)
  expect(beat).toHaveBeenCalledTimes(1)
  expect(vi.getTimerCount()).toBe(0)
})
