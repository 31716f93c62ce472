import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { servicesFound } from '../../../test/servers/service.ts'
import { type Site, startSite } from './host.ts'

const GIGABYTE = 1024 ** 3
const LIMIT = 150 * 1024 ** 2

interface Report {
  readonly before: number
  readonly maxRss: number
  readonly seconds: number
  readonly truncated: boolean
  readonly kept: number
  readonly stdout: string
  readonly lines: number
  readonly taken: number
}

describe.runIf(servicesFound('sshd'))('a gigabyte, in less than 150 MB of memory', () => {
  let site: Site
  beforeAll(async () => {
    site = await startSite()
  })
  afterAll(() => site[Symbol.asyncDispose]())
  const program = fileURLToPath(new URL('large-output.mjs', import.meta.url))
  const report = async (which: string): Promise<Report> => {
    const { stdout } = await promisify(execFile)(process.execPath, [program, site.here, site.config, which])
    console.log(which, stdout.trim())
    return JSON.parse(stdout) as Report
  }

  test('of output as lines: all are told, head and tail are kept', { timeout: 300_000 }, async () => {
    const told = await report('captured')
    expect(told.maxRss).toBeLessThan(LIMIT)
    expect(told).toMatchObject({ truncated: true })
    expect(told.kept).toBeLessThan(1_100_000)
    expect(told.lines).toBeGreaterThan(20_000_000)
  })

  test('of output in one line', { timeout: 300_000 }, async () => {
    const told = await report('one line')
    expect(told.maxRss).toBeLessThan(LIMIT)
    expect(told.lines).toBe(GIGABYTE / (64 * 1024))
  })

  test('into a stream', { timeout: 300_000 }, async () => {
    const told = await report('into a stream')
    expect(told.maxRss).toBeLessThan(LIMIT)
    expect(told.taken).toBe(GIGABYTE)
  })

  test('of input from a stream', { timeout: 300_000 }, async () => {
    const told = await report('from a stream')
    expect(told.maxRss).toBeLessThan(LIMIT)
    expect(told.stdout.trim()).toBe(String(GIGABYTE))
  })
})
