import { expect, it } from 'vitest'
import { ago, describeLock } from '../../../src/deploy/lock/describe.ts'
import { ownerStart, ownerText, readLock } from '../../../src/deploy/lock/owner.ts'

const run = { id: '20261123T120000000Z-abcd', startedAt: new Date(), user: 'Al\n"ice"', root: '/' }

it('what an owner writes is one line that begins with its run, and is read back', () => {
  const text = `${ownerText(run)},"since":1000}`
  expect(text.startsWith(ownerStart(run.id))).toBe(true)
  expect(text).not.toContain('\n')
  const lock = readLock(`turn\t3\nowner\t${text}\nnow\t1100\nbeat\t1090\n`)
  expect(lock).toMatchObject({ turn: 3, beat: 1090, now: 1100, text, owner: { run: run.id, since: 1000 } })
  expect(lock?.owner.user).toBe(run.user)
})

it('a lock by hand is nobody’s run', () => {
  const text = `${ownerText(run, { message: 'freeze' })},"since":1000}`
  expect(text.startsWith(ownerStart(run.id))).toBe(false)
  expect(readLock(`turn\t1\nowner\t${text}\nnow\t1100\nbeat\t\n`)?.owner).toMatchObject({ message: 'freeze' })
})

it('no lock is none; one that cannot be read is somebody’s', () => {
  expect(readLock('turn\t0\nowner\t\nnow\t1\nbeat\t\n')).toBeUndefined()
  expect(readLock('removed\n')).toBeUndefined()
  const odd = readLock('turn\t1\nowner\t{"ru\nnow\t1\nbeat\t\n')
  expect(odd?.owner).toEqual({ run: 'unknown', user: 'somebody', since: 0 })
  expect(odd && describeLock(odd)).toBe('somebody')
})

it.each([
  [-5, 'just now'],
  [1, 'just now'],
  [59, '59 seconds ago'],
  [240, '4 minutes ago'],
  [7200, '2 hours ago'],
  [9_000_000, '104 days ago'],
])('%i seconds: %s', (seconds, text) => {
  expect(ago(seconds)).toBe(text)
})
