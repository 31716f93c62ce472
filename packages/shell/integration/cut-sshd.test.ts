import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isProblem, type Shell } from '@deployfile/core'
import { createShells } from '@deployfile/shell'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { servicesFound } from '../../../test/servers/service.ts'
import { until } from '../test/contract.ts'
import { hostNamed, shellOf, type Site, startSite } from './host.ts'
import { type Fault, startProxy } from './proxy.ts'

const CONTENT = 60_000
/** Versions, key exchange, login and the first command are the first 6 KB or so up and 4 KB down; after them come the bytes of the file. */
const DENSE = 6_000

/** Codes that a person can make something of; anything else is a hole. */
const KNOWN = new Set([
  // Its exit code is known, but its output never ends.
  'COMMAND_FAILED',
  'CONNECTION_LOST',
  'HANDSHAKE_FAILED',
  'HOST_KEY_CHANGED',
  'HOST_UNREACHABLE',
  'LOGIN_REFUSED',
  'TRANSFER_BROKEN',
])

/**
 * What it may cost: retries; for silence 20 s, and for a download, which goes on over a new connection, as much again when that one falls
 * silent too, with 13 s for a look at what the first left running; and some load.
 */
const BOUND: Readonly<Record<Fault, number>> = {
  reset: 20_000,
  end: 20_000,
  leave: 20_000,
  garble: 45_000,
  stall: 60_000,
}

type Direction = 'up' | 'down'
interface Result {
  readonly cut: string
  readonly outcome: string
  readonly took: number
  readonly whole: boolean
}

describe.runIf(servicesFound('sshd'))('sshd behind a link that breaks at a byte, each time anew', () => {
  let site: Site
  const content = randomBytes(CONTENT)
  const path = process.env['PATH']
  beforeAll(async () => {
    site = await startSite()
    writeFileSync(join(site.here, 'source'), content)
    writeFileSync(join(site.sshd.home, 'source'), content)
  })
  beforeEach(() => {
    // Without ssh the config is read by ourselves: a process for each of hundreds of tries is not what is tested.
    process.env['PATH'] = '/nowhere'
  })
  afterEach(() => void (process.env['PATH'] = path))
  afterAll(() => site[Symbol.asyncDispose]())

  const work: Readonly<Record<Direction, (shell: Shell, name: string) => Promise<unknown>>> = {
    up: (shell, name) => shell.uploadFile('source', name),
    down: (shell, name) => shell.downloadFile('source', name),
  }
  const whereIt = { up: () => site.sshd.home, down: () => site.here }

  const attempt = async (direction: Direction, byte: number, fault: Fault): Promise<Result> => {
    await using proxy = await startProxy(site.sshd.port)
    proxy.breakAfter(direction, byte, fault)
    const shells = createShells({ root: site.here, sshConfig: site.config })
    const host = hostNamed('web1', { port: proxy.port, hostKey: [site.sshd.hostKeyFingerprint] })
    const name = `${fault}-${direction}-${String(byte)}`
    const begun = performance.now()
    const outcome = await work[direction](shellOf(shells, host), name).then(
      () => 'done',
      (error: unknown) => (isProblem(error) ? error.code : `NO PROBLEM: ${String(error)}`),
    )
    const took = performance.now() - begun
    await shells.close()
    const found = readdirSync(whereIt[direction]()).includes(name)
      ? readFileSync(join(whereIt[direction](), name))
      : undefined
    return { cut: name, outcome, took, whole: found ? found.equals(content) : outcome !== 'done' }
  }

  test.each(['reset', 'end', 'leave', 'garble', 'stall'] as const)(
    '%s: settles within its bound as an error that says what it is; under the name is all of the file, or nothing',
    async (fault) => {
      // Each fault takes other bytes, the same ones in each run.
      const offset = fault.length * 17 + fault.charCodeAt(0)
      const cuts = (['up', 'down'] as const).flatMap((direction) => [
        ...[0, 1, 7, 20, 21, 22].map((byte) => [direction, byte] as const),
        ...range(offset, DENSE, 409).map((byte) => [direction, byte] as const),
        ...range(DENSE + offset, CONTENT + DENSE, 9_001).map((byte) => [direction, byte] as const),
      ])
      const results = await inGroups(cuts, fault === 'stall' ? 80 : 16, ([direction, byte]) =>
        attempt(direction, byte, fault),
      )
      const holes = results.filter(
        ({ outcome, took, whole }) =>
          !(KNOWN.has(outcome) || outcome === 'done') || took > BOUND[fault] || !whole,
      )
      expect(holes).toEqual([])
      // Nothing of this was let through by accident: what breaks in the handshake breaks every try.
      const failed = results.filter(({ outcome }) => outcome !== 'done')
      expect(failed.length).toBeGreaterThan(results.length / 3)
      // The other side takes away what it has, when it hears of the end.
      if (fault === 'reset' || fault === 'end')
        await until(() => !readdirSync(site.sshd.home).some((name) => name.endsWith('.part')))
      expect(readdirSync(site.here).filter((name) => name.endsWith('.part'))).toEqual([])
      if (process.env['DEPLOYFILE_TEST_REPORT'] === '1') report(fault, results)
    },
    150_000,
  )
})

function range(from: number, to: number, step: number): number[] {
  return Array.from({ length: Math.ceil((to - from) / step) }, (_, at) => from + at * step)
}

async function inGroups<T, R>(
  items: readonly T[],
  atOnce: number,
  run: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = []
  for (let at = 0; at < items.length; at += atOnce)
    results.push(...(await Promise.all(items.slice(at, at + atOnce).map(run))))
  return results
}

function report(fault: Fault, results: readonly Result[]): void {
  const counts = new Map<string, number>()
  for (const { outcome } of results) counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
  const longest = Math.max(...results.map(({ took }) => took))
  const said = [...counts].map(([outcome, times]) => `${outcome} ${String(times)}`)
  console.log(
    `${fault}: ${String(results.length)} bytes, at most ${longest.toFixed(0)} ms; ${said.join(', ')}`,
  )
}
