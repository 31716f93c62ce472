import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemd } from '../../src/index.ts'
import { makeRestartHost, type RestartHost } from './on-host.ts'

// A stand-in that writes down exactly what it is asked, because no systemd runs where tests run.
let host: RestartHost
beforeEach(() => {
  host = makeRestartHost()
  const record = `{ for word in "$0" "$@"; do printf '%s ' "\${word##*/}"; done; echo; } >> ${host.path}/asked`
  host.install('systemctl', `${record}\nif [ -f ${host.path}/fails ]; then . ${host.path}/fails; fi`)
  host.install('sudo', `${record}\nshift 1\nexec "$@"`)
})
afterEach(() => host[Symbol.asyncDispose]())

const asked = (): readonly string[] => {
  const lines = readFileSync(join(host.path, 'asked'), 'utf8').trimEnd().split('\n')
  rmSync(join(host.path, 'asked'))
  return lines.map((line) => line.trim())
}

const fails = (script: string): void => {
  host.install('../fails', script)
}

describe('systemd()', () => {
  it('restarts a unit, and asks whether it runs', async () => {
    expect(await host.restart(systemd({ unit: 'shop' }))).toEqual(['shop: restart done'])
    expect(asked()).toEqual([
      'systemctl --system --no-ask-password restart shop',
      'systemctl --system is-active shop',
    ])
  })

  it('does so for several, by sudo, and reloads where told', async () => {
    const strategy = systemd({
      unit: ['shop-web', 'shop-jobs@1.service'],
      action: 'reload-or-restart',
      sudo: true,
    })
    expect(await host.restart(strategy)).toEqual(['shop-web, shop-jobs@1.service: reload-or-restart done'])
    expect(asked()).toEqual([
      'sudo -n systemctl --system --no-ask-password reload-or-restart shop-web shop-jobs@1.service',
      'systemctl --system --no-ask-password reload-or-restart shop-web shop-jobs@1.service',
      'systemctl --system is-active shop-web',
      'systemctl --system is-active shop-jobs@1.service',
    ])
  })

  it('finds the manager of the login without a session', async () => {
    fails(`printf '%s\\n' "$XDG_RUNTIME_DIR" > ${host.path}/runtime`)
    await host.restart(systemd({ unit: 'shop', userManager: true }))
    expect(asked()[0]).toBe('systemctl --user --no-ask-password restart shop')
    expect(readFileSync(join(host.path, 'runtime'), 'utf8')).toMatch(/^\/./)
  })

  it('that may not says why, and what would let it', async () => {
    fails(`echo 'Failed to restart shop.service: Interactive authentication required.' >&2; exit 1`)
    const [said] = await host.restart(systemd({ unit: 'shop' }))
    expect(said).toBe(
      'RESTART_FAILED: web1: systemctl restart shop failed: Failed to restart shop.service: Interactive authentication required. | ' +
        'There: systemctl status shop. Where the login may not restart it: systemd({ unit: …, sudo: true }), ' +
        'and in sudoers: deploy ALL=(root) NOPASSWD: /usr/bin/systemctl --system --no-ask-password restart shop',
    )
  })

  it('of a unit that ends at once says what became of it', async () => {
    fails(
      `case $2 in is-active) echo failed; exit 3 ;; --no-pager) echo 'main process exited, status=1' ;; esac`,
    )
    const [said] = await host.restart(systemd({ unit: 'shop' }))
    expect(said).toMatch(/^RESTART_FAILED: web1: looking whether it runs failed: shop is failed \|/)
  })

  it.each(['', '--force', 'shop;reboot', '$(reboot)', 'a b', 'shop\n', '-H'])(
    'refuses the unit %j',
    (unit) => {
      expect(() => systemd({ unit })).toThrow('is not the name of a unit')
    },
  )
})
