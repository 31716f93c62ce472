import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../../../test/e2e/command.ts'
import { pm2Found, startPm2, type Pm2 } from '../../../../test/servers/pm2.ts'
import { pm2 } from '../../src/index.ts'
import { makeRestartHost, type RestartHost } from './on-host.ts'

describe.runIf(pm2Found())('pm2(), of a real PM2', () => {
  let host: RestartHost
  let manager: Pm2
  beforeEach(() => {
    host = makeRestartHost()
    manager = startPm2(host.path)
    process.env['PM2_HOME'] = manager.home
    host.install('pm2', manager.program)
  })
  afterEach(async () => {
    delete process.env['PM2_HOME']
    await manager[Symbol.asyncDispose]()
    await host[Symbol.asyncDispose]()
  })

  /** Says which release it is of when it is started, and then stays. */
  const server = (): string => `require('node:fs').appendFileSync(
  '${host.path}/started', require('node:path').basename(__dirname) + '\\n')
setInterval(() => {}, 1000)
`
  const release = (name: string, script = server()): void =>
    host.release(name, {
      'server.js': script,
      'ecosystem.config.js': `module.exports = { apps: [{ name: 'shop', script: 'server.js' }] }\n`,
    })
  const started = (): string =>
    existsSync(join(host.path, 'started')) ? readFileSync(join(host.path, 'started'), 'utf8') : ''
  const RELOADED = 'the applications of ecosystem.config.js are reloaded'

  it('starts anew what was started in a release, which PM2 would serve for ever', async () => {
    release('1')
    manager.run(join(host.deployTo, 'releases/1'), 'start', 'server.js', '--name', 'shop')
    await until('it has started', () => started() === '1\n')
    release('2')
    expect(await host.restart(pm2())).toEqual([
      'shop ran from another release, and was started anew',
      RELOADED,
    ])
    expect(started()).toBe('1\n2\n')
  })

  it('starts again from the new release; one that ends at once is a failure, though PM2 calls it online', async () => {
    release('1')
    expect(await host.restart(pm2())).toEqual([RELOADED])
    expect(started()).toBe('1\n')
    release('2', `throw new Error('no database')`)
    expect(await host.restart(pm2())).toEqual([
      'RESTART_FAILED: web1: shop ends and is started again all the time, says pm2 | There: pm2 logs shop',
    ])
    // PM2 itself may have done so meanwhile.
    release('3')
    expect(await host.restart(pm2())).toEqual([RELOADED])
    expect(started()).toMatch(/^1\n(3\n)+$/)
  })
})
