import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import { listen, type SignalSource } from '../../src/cli/signals.ts'

function listening(): {
  source: EventEmitter & SignalSource
  said: string[]
  wait: (ms: number) => void
  stop: () => void
} {
  const source = new EventEmitter() as EventEmitter & SignalSource
  const said: string[] = []
  let time = 1000
  const stop = listen(
    source,
    (signal) => said.push(`stop ${signal}`),
    (signal) => said.push(`leave ${signal}`),
    () => time,
  )
  return { source, said, stop, wait: (ms) => (time += ms) }
}

test('the first signal asks to stop, a second one to leave', () => {
  const { source, said, wait } = listening()
  source.emit('SIGINT')
  wait(2000)
  source.emit('SIGTERM')
  expect(said).toEqual(['stop SIGINT', 'leave SIGTERM'])
})

test('one Ctrl-C that arrives twice, from the terminal and from npx, is one', () => {
  const { source, said, wait } = listening()
  source.emit('SIGINT')
  wait(4)
  source.emit('SIGINT')
  expect(said).toEqual(['stop SIGINT'])
  wait(1000)
  source.emit('SIGINT')
  expect(said).toEqual(['stop SIGINT', 'leave SIGINT'])
})

test('afterwards it hears nothing', () => {
  const { source, said, stop } = listening()
  stop()
  source.emit('SIGINT')
  expect(said).toEqual([])
  expect(source.eventNames()).toEqual([])
})
