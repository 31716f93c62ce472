import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect } from 'vitest'
import type { Fleet, FleetHost } from './fleet.ts'

/** What `current` leads to has all of the files of its commit, whatever has happened. */
export function expectServing(fleet: Fleet, { name, app }: FleetHost, when: string): void {
  const release = join(app.path, 'current')
  const says = `${when}: ${name} serves ${String(app.current())}`
  expect(existsSync(join(release, 'REVISION')), says).toBe(true)
  const commit = readFileSync(join(release, 'REVISION'), 'utf8').trim()
  expect(readFileSync(join(release, 'app.txt'), 'utf8').trim(), says).toBe(
    fleet.origin.git('show', `${commit}:app.txt`),
  )
  expect(realpathSync(join(release, 'log')), says).toBe(join(app.path, 'shared/log'))
}

/** Every host is on one release, of the newest commit where that is named, and nothing but good releases and our ledger is there. */
export function expectSettled(fleet: Fleet, when: string, revision?: string): void {
  const live = fleet.hosts.map(({ app }) => basename(app.current() ?? 'none'))
  expect(new Set(live), `${when}: ${live.join(' ')}`).toHaveProperty('size', 1)
  for (const host of fleet.hosts) {
    const { app } = host
    expectServing(fleet, host, when)
    if (revision !== undefined) expect(app.read('current/REVISION'), when).toBe(`${revision}\n`)
    expect(app.read('served'), when).toBe(app.read('current/REVISION'))
    expect(app.names('.'), when).toEqual([
      ...['.deployfile', 'current', 'releases', 'repo', 'revisions.log', 'served', 'shared'],
    ])
    expect(app.names('.deployfile'), when).toEqual(['releases.jsonl'])
    const states = lastStates(app.lines('.deployfile/releases.jsonl'))
    for (const name of app.releases()) {
      expect(`${name} ${states.get(name) ?? 'unknown'}`, when).toMatch(/^\d{14} live$/)
      expect(app.names(`releases/${name}`), when).toContain('REVISION')
    }
  }
}

function lastStates(lines: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    lines.map((line) => {
      const { release, state } = JSON.parse(line) as { release: string; state: string }
      return [release, state]
    }),
  )
}
