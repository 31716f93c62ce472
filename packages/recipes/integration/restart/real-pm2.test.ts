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

  // Of sh, which is there or has ended in no time, however busy the machine is.
  const app = `{ name: 'shop', script: 'server.sh', interpreter: 'sh' }`
  const release = (name: string, script = `echo ${name} >>'${host.path}/started'; exec sleep 1000\n`): void =>
    host.release(name, {
      'server.sh': script,
      'ecosystem.config.js': `module.exports = { apps: [${app}] }\n`,
    })
  const started = (): string =>
    existsSync(join(host.path, 'started')) ? readFileSync(join(host.path, 'started'), 'utf8') : ''
  const RELOADED = 'the applications of ecosystem.config.js are reloaded'

  it('starts anew what was started in a release, which PM2 would serve for ever', async () => {
    release('1')
    manager.run(
      join(host.deployTo, 'releases/1'),
      'start',
      'server.sh',
      '--interpreter',
      'sh',
      '--name',
      'shop',
    )
    await until('it has started', () => started() === '1\n')
    release('2')
    expect(await host.restart(pm2())).toEqual([
      'shop ran from another release, and was started anew',
      RELOADED,
    ])
    expect(started()).toBe('1\n2\n')
  })

  it('starts again from the new release; one that ends at once is a failure', async () => {
    release('1')
    expect(await host.restart(pm2())).toEqual([RELOADED])
    expect(started()).toBe('1\n')
    release('2', 'echo no database >&2; exit 1\n')
    // PM2 gives up after sixteen times, and calls it online until then.
    expect((await host.restart(pm2())).join('\n')).toMatch(
      /^RESTART_FAILED: web1: shop (is errored|ends and is started again all the time), says pm2 \| There: pm2 logs shop$/,
    )
    // An end that it has not seen yet would count for the next.
    manager.run(host.path, 'stop', 'shop')
    release('3')
    expect(await host.restart(pm2())).toEqual([RELOADED])
    expect(started()).toBe('1\n3\n')
  })
})
