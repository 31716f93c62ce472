import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Question, RunProcess } from '@deployfile/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { claimRun, isAbandoned } from '../../src/run/claim.ts'
import { liveness, thisProcess } from '../../src/run/process.ts'

const me = thisProcess()
// Above the largest number that Linux gives a process.
const NOBODY = 2 ** 22 + 1

describe('whether a process lives', () => {
  it('is known of this one', () => {
    expect(liveness(me)).toBe('alive')
    expect(me.startTicks).toMatch(/^\d+$/)
  })

  it('is known of one that ended, also while nobody has collected it', async () => {
    const child = spawn('sleep', ['60'])
    const stat = readFileSync(`/proc/${String(child.pid)}/stat`, 'utf8')
    const startTicks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
    const its: RunProcess = { ...me, pid: child.pid ?? 0, startTicks }
    expect(liveness(its)).toBe('alive')
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(liveness(its)).toBe('dead')
  })

  it.each<[string, Partial<RunProcess>, string]>([
    ['a number that nobody has', { pid: NOBODY }, 'dead'],
    ['a number that was given again', { startTicks: '1' }, 'dead'],
    ['the machine was started anew', { boot: 'another' }, 'dead'],
    ['another machine', { host: 'elsewhere', pid: NOBODY }, 'unknown'],
    ['another container', { namespace: 'pid:[1]', pid: NOBODY }, 'unknown'],
  ])('%s', (_, different, expected) => {
    expect(liveness({ ...me, ...different })).toBe(expected)
  })

  it('is known of a dead one without /proc, and of a living one not', () => {
    const bare = { pid: process.pid, host: me.host }
    expect(liveness(bare, bare)).toBe('unknown')
    expect(liveness({ ...bare, pid: NOBODY }, bare)).toBe('dead')
  })
})

describe('the claim to a run', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'claim-'))
  })
  afterEach(() => {
    rmSync(folder, { recursive: true })
  })

  const unasked = (): Promise<void> => Promise.reject(new Error('asked'))
  const owner = (number: number, process: RunProcess): void =>
    writeFileSync(path.join(folder, `owner.${String(number)}`), JSON.stringify(process))

  it('is had by one process at a time, and given back', async () => {
    const first = await claimRun(folder, me, unasked)
    expect(isAbandoned(folder, me)).toBe(false)
    await expect(claimRun(folder, me, unasked)).rejects.toMatchObject({
      code: 'RUN_ALIVE',
      kind: 'usage',
      message: expect.stringContaining(
        `is still running: process ${String(me.pid)} on ${me.host}, since `,
      ) as string,
      details: { hint: `Wait until it ends, or stop it there: kill -INT ${String(me.pid)}` },
    })
    first.release()
    expect(isAbandoned(folder, me)).toBe(true)
    await claimRun(folder, me, unasked)
    expect(readdirSync(folder).sort()).toEqual(['owner.1', 'owner.1.over', 'owner.2'])
  })

  it('of many at once, one gets', async () => {
    owner(1, { ...me, pid: NOBODY })
    const all = await Promise.allSettled(Array.from({ length: 10 }, () => claimRun(folder, me, unasked)))
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(readdirSync(folder).sort()).toEqual(['owner.1', 'owner.2'])
  })

  it('is asked about where nobody can see whether the last one lives', async () => {
    owner(9, { ...me, host: 'ci-7', pid: 12 })
    const questions: Question[] = []
    await expect(claimRun(folder, me, unasked)).rejects.toThrow('asked')
    expect(isAbandoned(folder, me)).toBe(false)
    await claimRun(folder, me, (question) => {
      questions.push(question)
      return Promise.resolve()
    })
    expect(questions).toMatchObject([{ answer: 'ci-7' }])
    expect(questions[0]?.message).toContain('process 12 on ci-7, since ')
    expect(readdirSync(folder).sort()).toEqual(['owner.10', 'owner.9'])
  })

  it('is asked about where a power cut has left an empty file', async () => {
    writeFileSync(path.join(folder, 'owner.1'), '')
    await expect(claimRun(folder, me, unasked)).rejects.toThrow('asked')
  })
})
