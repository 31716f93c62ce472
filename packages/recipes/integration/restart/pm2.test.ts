import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { pm2 } from '../../src/index.ts'
import { makeRestartHost, type RestartHost } from './on-host.ts'

// A stand-in, for what it is asked and what it may answer; real-pm2.test.ts has the real one.
let host: RestartHost
beforeEach(() => {
  host = makeRestartHost()
  host.install(
    'pm2',
    `printf '%s\\n' "$*" >> ${host.path}/asked
case $1 in
  jlist) echo '[PM2] a word of its own'; sed "s/TIMES/$(head -n 1 ${host.path}/restarts)/" ${host.path}/list; sed -i 1d ${host.path}/restarts ;;
  startOrReload) printf '[{"name":"shop","pm_id":1,"pm2_env":{"status":"%s","restart_time":TIMES,"pm_exec_path":"%s/server.js"}}]' "$(cat ${host.path}/status)" "$4" > ${host.path}/list ;;
esac`,
  )
  mkdirSync(join(host.path, '.pm2'))
  writeFileSync(join(host.path, 'status'), 'online')
  restarts(0, 0, 0)
  host.release('1', { 'ecosystem.config.js': '' })
})
afterEach(() => host[Symbol.asyncDispose]())

const asked = (): readonly string[] => readFileSync(join(host.path, 'asked'), 'utf8').trimEnd().split('\n')

/** How often it was started again, at one look after the other; the first is before anything is reloaded. */
function restarts(...times: readonly number[]): void {
  writeFileSync(join(host.path, 'restarts'), times.map((time) => `${String(time)}\n`).join(''))
}

/** PM2 runs, and has these scripts. */
function runs(...scripts: readonly string[]): void {
  const list = scripts.map((script, id) => ({
    name: `app${String(id)}`,
    pm_id: id,
    pm2_env: { status: 'online', pm_exec_path: script },
  }))
  writeFileSync(join(host.path, 'list'), JSON.stringify(list))
}

describe('pm2()', () => {
  beforeEach(() => {
    process.env['PM2_HOME'] = join(host.path, '.pm2')
    writeFileSync(join(host.path, '.pm2/pm2.pid'), String(process.pid))
    return () => {
      delete process.env['PM2_HOME']
    }
  })

  it('starts anew what is pinned to a release, and leaves other applications alone', async () => {
    runs('/srv/other/server.js', join(host.deployTo, 'releases/0/server.js'))
    expect(await host.restart(pm2({ env: 'production', save: true }))).toEqual([
      'app1 ran from another release, and was started anew',
      'the applications of ecosystem.config.js are reloaded',
    ])
    expect(asked()).toEqual([
      'jlist',
      'delete 1',
      `startOrReload ecosystem.config.js --cwd ${host.current} --update-env --env production`,
      'save',
      'jlist',
      'jlist',
    ])
  })

  it('that does not come up is a failure', async () => {
    runs()
    writeFileSync(join(host.path, 'status'), 'errored')
    expect(await host.restart(pm2())).toEqual([
      'RESTART_FAILED: web1: shop is errored, says pm2 | There: pm2 logs shop',
    ])
  })

  it('that ends again and again is a failure, though PM2 calls it online', async () => {
    runs()
    restarts(0, 1, 3, 5, 6)
    expect(await host.restart(pm2())).toEqual([
      'RESTART_FAILED: web1: shop ends and is started again all the time, says pm2 | There: pm2 logs shop',
    ])
  })

  it('one more end, of what ran before, is none', async () => {
    runs()
    restarts(7, 7, 8, 8)
    expect(await host.restart(pm2())).toEqual(['the applications of ecosystem.config.js are reloaded'])
  })

  it('without its file in the release says so, before it changes anything', async () => {
    runs()
    const [said] = await host.restart(pm2({ file: 'pm2.json' }))
    expect(said).toContain('there is no pm2.json in the release')
    expect(asked()).toEqual(['jlist'])
  })

  it('does not start a daemon by looking', async () => {
    writeFileSync(join(host.path, '.pm2/pm2.pid'), '')
    await host.restart(pm2({ file: 'pm2.json' }))
    expect(existsSync(join(host.path, 'asked'))).toBe(false)
  })
})
