import { type Host, isProblem } from '@deployfile/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { tempFolder } from '../../../test/servers/temp.ts'
import { type Fault, type Proxy, startProxy } from '../../../test/servers/proxy.ts'
import {
  type Desk,
  fingerprintOf,
  type InProcessServer,
  makeDesk,
  shellTo,
  startServer,
  runCommands,
} from './ssh-server.ts'
import { report, tryEach } from './tries.ts'

/** All bytes take a quarter of an hour; each run takes some of them, from the greeting to the answer to a command. */
const EVERY_BYTE = process.env['DEPLOYFILE_TEST_EVERY_BYTE'] === '1'
/** A stalled one only waits. */
const atOnce = (fault: Fault): number => (fault === 'stall' ? 400 : 10)

/** Codes that a person can make something of; anything else is a hole. */
const KNOWN = new Set([
  'HOST_UNREACHABLE',
  'HANDSHAKE_FAILED',
  'HOST_KEY_CHANGED',
  'LOGIN_REFUSED',
  'CONNECTION_LOST',
  // Its exit code is known, but its output never ends.
  'COMMAND_FAILED',
])

type Cut = Readonly<{ direction: 'up' | 'down'; byte: number; fault: Fault }>
type Result = Readonly<{ cut: Cut; outcome: string; took: number }>

/** What a cut may cost: retries; a handshake that nobody ends, or a dead link that is noticed by asking (20 s each), and some load. */
const BOUND: Readonly<Record<Fault, number>> = {
  reset: 15_000,
  end: 15_000,
  leave: 15_000,
  garble: 40_000,
  stall: 40_000,
}

// At once: what waits for silence leaves the time to the others.
describe.concurrent('a link that is cut, reset, stalled or garbled at a byte', () => {
  const temp = tempFolder('cut')
  let server: InProcessServer
  let desk: Desk
  let host: Partial<Host>
  let total: Proxy['passed']
  const path = process.env['PATH']
  beforeAll(async () => {
    desk = makeDesk(temp.path, 'desk')
    server = await startServer(['ed25519'], { onSession: runCommands })
    host = { hostKey: [fingerprintOf(server.publicKeys[0]!)] }
    total = await traffic()
    // Without ssh the config is read by ourselves: a process for each of thousands of tries is not what is tested.
    process.env['PATH'] = '/nowhere'
  })
  afterAll(async () => {
    process.env['PATH'] = path
    await server.close()
    await temp.remove()
  })

  const attempt = async (cut: Cut): Promise<Result> => {
    const proxy = await startProxy(server.port)
    proxy.breakAfter(cut.direction, cut.byte, cut.fault)
    const { shell, close } = shellTo(proxy, desk, { host: { ...host, port: proxy.port } })
    const begun = performance.now()
    const outcome = await shell.capture`echo hello`.then(
      (text) => text,
      (error: unknown) => (isProblem(error) ? error.code : `NO PROBLEM: ${String(error)}`),
    )
    const took = performance.now() - begun
    await close()
    await proxy[Symbol.asyncDispose]()
    return { cut, outcome, took }
  }
  const traffic = async (): Promise<Proxy['passed']> => {
    await using proxy = await startProxy(server.port)
    const { shell, close } = shellTo(proxy, desk, { host })
    expect(await shell.capture`echo hello`).toBe('hello')
    const passed = { ...proxy.passed }
    await close()
    return passed
  }

  test.each(['reset', 'end', 'garble', 'stall'] as const)(
    '%s: settles within its bound, as an error that says what it is',
    async (fault) => {
      const cuts = (['up', 'down'] as const).flatMap((direction) =>
        bytes(total[direction]).map((byte): Cut => ({ direction, byte, fault })),
      )
      const results = await tryEach(cuts, atOnce(fault), attempt)
      const holes = results.filter(
        ({ outcome, took }) => !(KNOWN.has(outcome) || outcome === 'hello') || took > BOUND[fault],
      )
      expect(holes).toEqual([])
      // Most of the bytes come before the answer: nothing of this was let through by accident.
      const failed = results.filter(({ outcome }) => outcome !== 'hello')
      expect(failed.length).toBeGreaterThan(results.length / 2)
      if (EVERY_BYTE) report(fault, results)
    },
    EVERY_BYTE ? 3_600_000 : 180_000,
  )
})

/** The first of each direction one by one, where the versions are told; then with strides that hit no pattern. */
function bytes(total: number): number[] {
  const all = Array.from({ length: total }, (_, at) => at)
  return EVERY_BYTE ? all : all.filter((at) => at < 24 || at % 61 === 0 || at > total - 8)
}
