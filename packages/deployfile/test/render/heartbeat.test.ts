import type { Plan, RunEvent } from '@deployfile/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { heartbeat, type Heartbeat } from '../../src/render/heartbeat.ts'

const node = (task: string, host?: string): Plan['nodes'][number] => ({
  ...{
    id: host === undefined ? task : `${task}@dev/${host}`,
    kind: 'task',
    task,
    stage: 'dev',
    effect: 'write',
  },
  ...{ needs: {}, milestone: false },
  ...(host !== undefined && { host }),
})

const plan: Plan = {
  ...{ stage: 'dev', requested: ['migrate'], edges: [], hosts: {}, notes: [] },
  from: { stage: 'dev', tasks: [], inputs: {} },
  nodes: [node('build'), node('migrate', 'db1'), node('migrate', 'db2')],
}

describe('a log in which nothing happens', () => {
  const said: string[] = []
  let beat: Heartbeat
  const started = (id: string): void => {
    beat.event({ type: 'node.started', node: id, phase: 'run', seq: 1, at: Date.now() } satisfies RunEvent)
  }
  const ended = (id: string): void => {
    const event = { type: 'node.ended', node: id, phase: 'run', status: 'done', durationMs: 1 } as const
    beat.event({ ...event, seq: 2, at: Date.now() })
  }

  beforeEach(() => {
    vi.useFakeTimers()
    said.length = 0
    beat = heartbeat(plan, (text) => said.push(text))
  })
  afterEach(() => {
    beat.stop()
    vi.useRealTimers()
  })

  it('says every half minute what still runs', () => {
    beat.heard()
    started('migrate@dev/db1')
    started('migrate@dev/db2')
    vi.advanceTimersByTime(29_999)
    expect(said).toEqual([])
    vi.advanceTimersByTime(1)
    expect(said).toEqual(['still running: migrate on db1, db2 for 30.0s'])
    ended('migrate@dev/db2')
    vi.advanceTimersByTime(30_000)
    expect(said.at(-1)).toBe('still running: migrate on db1 for 1m00s')
  })

  it('says nothing where something was said, nothing runs, or all is over', () => {
    beat.heard()
    started('build')
    vi.advanceTimersByTime(20_000)
    beat.heard()
    vi.advanceTimersByTime(20_000)
    expect(said).toEqual([])
    ended('build')
    vi.advanceTimersByTime(60_000)
    expect(said).toEqual([])
    started('build')
    beat.stop()
    vi.advanceTimersByTime(60_000)
    expect(said).toEqual([])
  })
})
