import { resolvePlan, loadCatalog, defineConfig, task, type Plan, type RunEvent } from '@deployfile/core'
import { describe, expect, it } from 'vitest'
import { createStyle } from '../../src/render/style.ts'
import { endedRows, summaryLines, type EndedRows } from '../../src/render/summary.ts'

const build = task('build', { run: () => 1 })
const lint = task('lint', { run: () => 1 })
const ship = task('ship', { on: 'web', needs: { build, lint }, run: () => 1 })

const hosts = { web1: { roles: ['web'] }, web2: { roles: ['web'] } }
const catalog = loadCatalog(defineConfig({ stages: { dev: { hosts } }, defaultStage: 'dev', tasks: [ship] }))
const plan: Plan = resolvePlan(catalog, { tasks: ['ship'], inputs: {} })

function ran(
  times: Readonly<Record<string, readonly [from: number, to: number, status?: 'failed']>>,
): EndedRows {
  const rows = endedRows(plan)
  let seq = 0
  for (const [node, [from, to, status = 'done']] of Object.entries(times)) {
    const event: RunEvent = {
      type: 'node.ended',
      node,
      phase: 'run',
      status,
      durationMs: to - from,
      seq: ++seq,
      at: to,
    }
    rows.event(event)
  }
  return rows
}

describe('the end of a run', () => {
  const rows = ran({
    lint: [0, 900],
    build: [0, 4000],
    'ship@dev/web1': [4000, 9000],
    'ship@dev/web2': [4000, 12_000, 'failed'],
  })

  it('has totals, the slowest tasks and the longest way', () => {
    expect(summaryLines(plan, rows, 12_000, createStyle(false))).toEqual([
      '3 tasks on 2 hosts; counted on each host: 3 done, 1 failed',
      'Slowest: ship 8.00s, build 4.00s, lint 0.90s',
      'Longest way: build → ship on web2 (12.0s)',
    ])
  })

  it('says once what all have in common', () => {
    const well = ran({
      ...{ lint: [0, 900], build: [0, 4000] },
      ...{ 'ship@dev/web1': [4000, 9000], 'ship@dev/web2': [4000, 12_000] },
    })
    expect(summaryLines(plan, well, 12_000, createStyle(false))[0]).toBe('3 tasks on 2 hosts: all done')
  })

  it('counts tasks where each had one place', () => {
    const half = ran({ build: [0, 4000], lint: [0, 6000, 'failed'] })
    expect(summaryLines(plan, half, 6000, createStyle(false))[0]).toBe('2 tasks on 2 hosts: 1 done, 1 failed')
  })

  it('has nothing to add to a short run, or to a single task', () => {
    expect(summaryLines(plan, rows, 4999, createStyle(false))).toEqual([])
    expect(summaryLines(plan, ran({ build: [0, 60_000] }), 60_000, createStyle(false))).toEqual([])
  })

  it('tells hosts of one task apart by how they ended', () => {
    expect(rows.list().find(({ label }) => label === 'ship')).toEqual({
      label: 'ship',
      hosts: ['web1', 'web2'],
      statuses: ['1 done', '1 failed'],
      durationMs: 8000,
    })
  })
})
