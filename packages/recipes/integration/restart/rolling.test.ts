import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeSite, type Site } from '../site.ts'

let site: Site
beforeEach(() => {
  site = makeSite()
})
afterEach(() => site[Symbol.asyncDispose]())

describe('restarting in batches', () => {
  const options = (verify: string) => ({
    restart: `echo "restart $(basename "$(cd -P ../../.. && pwd)")" >> ${site.path}/steps`,
    verify: { command: verify, attempts: 1 },
    rolling: { batch: 1, wait: 10 },
  })
  const steps = (): readonly string[] =>
    site.web1
      .read('../../steps')
      .trimEnd()
      .split('\n')
      .map((line) => line.replace(/\/app\/releases\/\d+$/, ''))

  it('begins with the next when all of one are well', async () => {
    const verify = `echo "verify $(basename "$(cd -P ../../.. && pwd)")" >> ${site.path}/steps`
    expect((await site.run('deploy', { options: options(verify) })).problems).toEqual([])
    const [first, second, third, fourth, ...last] = steps()
    expect([first, second, third, fourth]).toEqual([
      'restart web1',
      'verify web1',
      'restart db1',
      'verify db1',
    ])
    expect(last.sort()).toEqual(['verify db1', 'verify web1'])
  })

  it('restarts none of the other hosts where the first is not well, and goes back', async () => {
    const ran = await site.run('deploy', { options: options('exit 1') })
    expect(ran.problems).toEqual([
      expect.stringContaining('NOT_HEALTHY: web1: the application is not healthy'),
    ])
    expect(steps()).toEqual(['restart web1'])
    for (const host of [site.web1, site.db1]) expect(host.has('current')).toBe(false)
  })
})
