import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import { isGone, isThisProcess, thisProcess } from '../../../src/deploy/lock/process.ts'

const here = thisProcess()

it('this process is known by its pid, its machine and its start, and is not gone', () => {
  expect(here).toMatchObject({ pid: process.pid, host: expect.any(String) as string })
  expect(isThisProcess({ ...here })).toBe(true)
  expect(isThisProcess({ ...here, startTicks: '1' })).toBe(false)
  expect(isGone(here)).toBe(false)
})

it('a process that has ended is gone, also while its parent has not noticed', async () => {
  expect(isGone({ ...here, pid: spawnSync('true').pid })).toBe(true)
  // sh waits for nothing: its child stays a zombie until sh ends.
  const parent = spawn('sh', ['-c', 'true & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] })
  const [chunk] = (await once(parent.stdout, 'data')) as [Buffer]
  const zombie = { ...here, pid: Number(chunk.toString()) }
  await expect.poll(() => isGone({ ...zombie, startTicks: undefined as never })).toBe(true)
  parent.kill('SIGKILL')
})

it('a process that was given the pid of another is another', () => {
  expect(isGone({ ...here, startTicks: '1' })).toBe(true)
})

it('of a process elsewhere, or in another namespace, or before a restart, nobody here can tell', () => {
  const gone = { ...here, pid: spawnSync('true').pid }
  expect(isGone({ ...gone, host: 'elsewhere' })).toBe(false)
  expect(isGone({ ...gone, boot: 'another' })).toBe(false)
  expect(isGone({ ...gone, namespace: 'pid:[1]' })).toBe(false)
  const { boot: _, ...unknown } = gone
  expect(isGone(unknown)).toBe(false)
  expect(isGone(gone, { pid: here.pid, host: here.host })).toBe(false)
})
