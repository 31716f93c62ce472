import { chmodSync, statSync, utimesSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { passenger } from '../src/index.ts'
import { makeSite, type Site } from './site.ts'

let site: Site
let path: string | undefined
beforeEach(() => {
  site = makeSite()
  path = process.env['PATH']
})
afterEach(async () => {
  process.env['PATH'] = path
  await site[Symbol.asyncDispose]()
})

/** A stand-in that writes down its arguments; the real one is for the tests with Apache. */
function installProgram(script: string): void {
  site.web1.write('../../bin/passenger-config', `#!/bin/sh\n${script}\n`)
  chmodSync(`${site.path}/bin/passenger-config`, 0o755)
  process.env['PATH'] = `${site.path}/bin:${path ?? ''}`
}

describe('passenger()', () => {
  it('touches tmp/restart.txt where the host has no passenger-config, and leaves the release as old as it was', async () => {
    expect(
      (await site.run('deploy', { options: { linkedDirs: [], restart: passenger({ touch: true }) } }))
        .problems,
    ).toEqual([])
    expect(site.web1.has('current/tmp/restart.txt')).toBe(true)
    const before = new Date('2026-01-01T00:00:00Z')
    const file = site.web1.at('current/tmp/restart.txt')
    utimesSync(file, before, before)
    const age = statSync(site.web1.at('current/')).mtimeMs
    expect(
      (await site.run('deploy:restart', { options: { restart: passenger({ touch: true }) } })).problems,
    ).toEqual([])
    expect(statSync(file).mtimeMs).toBeGreaterThan(before.getTime())
    expect(statSync(site.web1.at('current/')).mtimeMs).toBe(age)
  })

  it('asks passenger-config for exactly this application', async () => {
    installProgram(
      `for word in "$@"; do printf '%s\\n' "$word"; done >> ${site.path}/asked; echo 'Restarting x'`,
    )
    expect((await site.run('deploy', { options: { restart: passenger() } })).problems).toEqual([])
    const asked = site.web1.read('../../asked')
    for (const { deployTo } of [site.web1, site.db1])
      expect(asked).toContain(`restart-app\n${deployTo}/\n--ignore-app-not-running\n`)
    expect(site.web1.has('current/tmp/restart.txt')).toBe(false)
  })

  // The words are those of passenger 6.0.17, as test/e2e/passenger.test.ts sees them.
  it.each([
    [
      'finds no such application, which may be one that the login may not see',
      `echo 'There are no Phusion Passenger(R)-served applications running whose paths begin with it.' >&2`,
      'passenger-config finds no running application here',
    ],
    [
      'finds no Passenger, which may keep its files elsewhere',
      `echo "*** ERROR: Phusion Passenger(R) doesn't seem to be running. If you are sure that it" >&2; exit 1`,
      'passenger-config finds no running Passenger here',
    ],
  ])('touches tmp/restart.txt where passenger-config %s', async (_, script, said) => {
    installProgram(script)
    const ran = await site.run('deploy', { options: { restart: passenger() } })
    expect(ran.problems).toEqual([])
    for (const host of [site.web1, site.db1]) expect(host.has('current/tmp/restart.txt')).toBe(true)
    expect(ran.logs.filter((line) => line.startsWith('deploy:restart@web1: '))).toEqual([
      `deploy:restart@web1: ${said}`,
      'deploy:restart@web1: touched tmp/restart.txt: a request of the next ten seconds starts the new release',
    ])
  })

  it('that fails says why, and the deploy goes back', async () => {
    installProgram(`echo 'Several Passenger instances are running' >&2; exit 1`)
    const ran = await site.run('deploy', { options: { restart: passenger() } })
    expect(ran.problems[0]).toMatch(
      /^task RESTART_FAILED: \w+: Passenger did not restart: Several Passenger instances are running$/,
    )
    expect(site.web1.has('current')).toBe(false)
  })

  it('alone where nothing is deployed makes no folder named current', async () => {
    const ran = await site.run('deploy:restart', { options: { restart: passenger({ touch: true }) } })
    expect(ran.status).toBe('failed')
    expect(site.web1.has('current')).toBe(false)
  })
})
