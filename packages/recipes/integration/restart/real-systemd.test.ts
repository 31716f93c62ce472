import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { servicesFound } from '../../../../test/servers/service.ts'
import { canStartSystemd, startSystemd, type Systemd } from '../../../../test/servers/systemd.ts'
import { until } from '../../../../test/e2e/command.ts'
import { systemd } from '../../src/index.ts'
import { makeRestartHost, type RestartHost } from './on-host.ts'

describe.runIf(servicesFound('systemd') && canStartSystemd())('systemd(), of a real systemd', () => {
  let host: RestartHost
  let manager: Systemd
  beforeEach(async () => {
    host = makeRestartHost()
    const service = (...lines: readonly string[]): string =>
      [
        '[Unit]',
        'DefaultDependencies=no',
        '[Service]',
        `WorkingDirectory=${host.current}`,
        ...lines,
        '',
      ].join('\n')
    manager = await startSystemd(host.path, {
      'app.service': service(`ExecStart=/bin/sh -c 'cat REVISION >> ${host.path}/started; exec sleep 600'`),
      'broken.service': service(
        'ExecStartPre=/bin/sh -c "echo no such database; exit 3"',
        'ExecStart=/bin/true',
      ),
    })
    host.install('systemctl', manager.systemctl)
  })
  afterEach(async () => {
    await manager[Symbol.asyncDispose]()
    await host[Symbol.asyncDispose]()
  })

  const started = (): string =>
    existsSync(join(host.path, 'started')) ? readFileSync(join(host.path, 'started'), 'utf8') : ''

  it('starts the unit, and starts it again from the new release', async () => {
    const strategy = systemd({ unit: 'app.service', userManager: true })
    host.release('1', { REVISION: 'one\n' })
    expect(await host.restart(strategy)).toEqual(['app.service: restart done'])
    await until('the first has started', () => started() === 'one\n')
    host.release('2', { REVISION: 'two\n' })
    expect(await host.restart(strategy)).toEqual(['app.service: restart done'])
    await until('the second has started', () => started() === 'one\ntwo\n')
  })

  it('fails with what systemd says where a unit does not start, or is not there', async () => {
    host.release('1')
    const [broken] = await host.restart(systemd({ unit: 'broken.service', userManager: true }))
    expect(broken).toMatch(
      /^RESTART_FAILED: web1: systemctl restart broken\.service failed: .* \| As that login: systemctl --user status broken\.service\./s,
    )
    const [missing] = await host.restart(systemd({ unit: 'missing.service', userManager: true }))
    expect(missing).toContain('RESTART_FAILED: web1: systemctl restart missing.service failed: ')
    expect(missing).toContain('Unit missing.service not found.')
  })
})
