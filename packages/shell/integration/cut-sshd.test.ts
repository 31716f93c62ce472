import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isProblem, type Shell } from '@deployfile/core'
import { createShells } from '@deployfile/shell'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { servicesFound } from '../../../test/servers/service.ts'
import { until } from '../test/contract.ts'
import { hostNamed, shellOf, type Site, startSite } from './host.ts'
import { type Fault, startProxy } from '../../../test/servers/proxy.ts'
import { report, tryEach } from './tries.ts'

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

// At once: what waits for silence leaves the time to the others.
describe
  .runIf(servicesFound('sshd'))
  .concurrent('sshd behind a link that breaks at a byte, each time anew', () => {
    let site: Site
    const content = randomBytes(CONTENT)
    const path = process.env['PATH']
    beforeAll(async () => {
      site = await startSite()
      writeFileSync(join(site.here, 'source'), content)
      writeFileSync(join(site.sshd.home, 'source'), content)
      // Without ssh the config is read by ourselves: a process for each of hundreds of tries is not what is tested.
      process.env['PATH'] = '/nowhere'
    })
    afterAll(async () => {
      process.env['PATH'] = path
      await site[Symbol.asyncDispose]()
    })

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
        const results = await tryEach(cuts, fault === 'stall' ? cuts.length : 6, ([direction, byte]) =>
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
        if (fault === 'reset' || fault === 'end') await until(() => !partsOf(site.sshd.home, fault).length)
        expect(partsOf(site.here, fault)).toEqual([])
        if (process.env['DEPLOYFILE_TEST_REPORT'] === '1') report(fault, results)
      },
      150_000,
    )
  })

/** What is not whole yet, of one fault's tries: `.<name>.<mark>.part`. */
function partsOf(folder: string, fault: Fault): readonly string[] {
  return readdirSync(folder).filter((name) => name.startsWith(`.${fault}-`) && name.endsWith('.part'))
}

function range(from: number, to: number, step: number): number[] {
  return Array.from({ length: Math.ceil((to - from) / step) }, (_, at) => from + at * step)
}
