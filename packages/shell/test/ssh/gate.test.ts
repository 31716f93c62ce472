import { expect, test } from 'vitest'
import { createGate } from '../../src/ssh/gate.ts'

const idle = new AbortController().signal
const settled = () => new Promise((resolve) => setImmediate(resolve))

test('lets in as many as it says, in the order of asking', async () => {
  const gate = createGate(2)
  const came: number[] = []
  const leave: (() => void)[] = []
  for (const at of [1, 2, 3, 4]) {
    void gate.enter(idle).then((out) => {
      came.push(at)
      leave.push(out)
    })
  }
  await settled()
  expect(came).toEqual([1, 2])
  leave[0]?.()
  // Leaving twice must not let in two.
  leave[0]?.()
  await settled()
  expect(came).toEqual([1, 2, 3])
})

test('narrowed, it takes only as many as were inside, but one always', async () => {
  const gate = createGate(8)
  const first = await gate.enter(idle)
  const second = await gate.enter(idle)
  gate.narrow()
  let third = false
  void gate.enter(idle).then(() => (third = true))
  await settled()
  expect(third).toBe(false)
  first()
  await settled()
  expect(third).toBe(true)
  second()
  const empty = createGate(8)
  empty.narrow()
  await empty.enter(idle)
  expect(empty.inside).toBe(1)
})

test('who gives up waiting holds no place', async () => {
  const gate = createGate(1)
  const leave = await gate.enter(idle)
  const stop = new AbortController()
  const waiting = gate.enter(stop.signal)
  stop.abort()
  await expect(waiting).rejects.toThrow('aborted')
  await expect(gate.enter(stop.signal)).rejects.toThrow('aborted')
  leave()
  await gate.enter(idle)
  expect(gate.inside).toBe(1)
})

test('shut, it sends all away', async () => {
  const gate = createGate(1)
  await gate.enter(idle)
  const waiting = gate.enter(idle)
  gate.shut(new Error('the link is gone'))
  await expect(waiting).rejects.toThrow('the link is gone')
  await expect(gate.enter(idle)).rejects.toThrow('the link is gone')
})
