import { chmodSync, cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startPassenger, type PassengerServer } from '../servers/passenger.ts'
import { servicesFound } from '../servers/service.ts'
import { until } from './command.ts'
import type { Deployment } from './deployment.ts'
import { startFleet, type Fleet } from './fleet.ts'
import { hammer } from './hammer.ts'

// What it serves it has read when it was started, as every application in production does.
const APP = `revision = File.read(File.join(__dir__, 'REVISION')).strip
migrated = File.read(File.join(__dir__, 'log/migrated')).strip rescue 'nothing'
run ->(env) { [200, { 'Content-Type' => 'text/plain' }, ["#{revision} #{migrated}"]] }
`
const RESTARTED = `migrate: 'cat db/version > log/migrated', restart: passenger()`

describe.runIf(servicesFound('sshd', 'passenger'))('an application that Apache and Passenger serve', () => {
  // One story: each test goes on from where the one before ended.
  let fleet: Fleet
  let app: Deployment
  let server: PassengerServer

  beforeAll(async () => {
    fleet = await startFleet({ hosts: ['web1'], imports: 'passenger', path: 'bin', deploy: RESTARTED })
    const [host] = fleet.hosts
    if (!host) throw new Error('no host')
    app = host.app
    fleet.origin.commit({ 'config.ru': APP, 'public/robots.txt': '', 'db/version': '1\n' })
    // Passenger runs the application as somebody who owns nothing, where the tests are root's.
    for (const folder of [host.root, host.home, fleet.root]) chmodSync(folder, 0o711)
    const registry = join(fleet.root, 'passenger')
    mkdirSync(join(fleet.root, 'bin'))
    const asked = join(fleet.root, 'bin/passenger-config')
    // Debian's own, told where this Apache keeps its files.
    writeFileSync(
      asked,
      `#!/bin/sh\nexport PASSENGER_INSTANCE_REGISTRY_DIR='${registry}'\nexec ruby /usr/bin/passenger-config "$@"\n`,
    )
    chmodSync(asked, 0o755)
    const first = await fleet.run('deploy:migrations')
    expect(first, first.output).toMatchObject({ code: 0 })
    server = await startPassenger(app.path, registry)
  })
  afterAll(() => fleet[Symbol.asyncDispose]())
  // The last one is the first to be called.
  afterAll(() => server.stop())

  const revision = (): string => app.read('current/REVISION').trim()
  const served = async (): Promise<string> => (await fetch(server.url)).text()

  async function during(...args: readonly string[]): Promise<{ answers: readonly string[]; output: string }> {
    const requests = hammer(server.url)
    const ended = await fleet.run(...args)
    const answers = await requests.stop()
    expect(ended, `${ended.output}\n${server.log()}`).toMatchObject({ code: 0 })
    return { answers, output: ended.output }
  }

  test('is served from the first release', async () => {
    expect(await served(), server.log()).toBe(`${revision()} 1`)
  })

  test('a deploy with migrations: no request fails, and the answer changes once', async () => {
    const before = revision()
    const next = fleet.origin.commit({ 'db/version': '2\n' })
    const { answers, output } = await during('deploy:migrations')
    expect(output).toContain('restarted by passenger-config')
    expect(answers).toEqual([`200 ${before} 1`, `200 ${next} 2`])
    expect(await served()).toBe(`${next} 2`)
  })

  test('the application of a folder whose name begins the same is not restarted along with it', async () => {
    const neighbour = `${app.path}2/current`
    const answer = async (): Promise<string> => (await fetch(`${server.url}neighbour`)).text()
    cpSync(join(app.path, 'current/'), neighbour, { recursive: true, dereference: true })
    writeFileSync(join(neighbour, 'REVISION'), 'as it was started')
    expect(await answer(), server.log()).toBe('as it was started 2')
    writeFileSync(join(neighbour, 'REVISION'), 'as it would be started now')
    const { output } = await during('deploy:restart')
    expect(output).toContain('restarted by passenger-config')
    expect(await answer()).toBe('as it was started 2')
  })

  test('a deploy that does not restart changes nothing that is served; deploy:restart does', async () => {
    const before = revision()
    const next = fleet.origin.commit({ 'db/version': '3\n' })
    fleet.configure(RESTARTED.replace('passenger()', `'true'`))
    const { answers } = await during('deploy')
    expect(revision()).toBe(next)
    expect(answers).toEqual([`200 ${before} 2`])
    fleet.configure(RESTARTED)
    const restarted = await during('deploy:restart')
    expect(restarted.answers).toEqual([`200 ${before} 2`, `200 ${next} 2`])
  })

  test('a rollback: no request fails, and the answer is that of the release before', async () => {
    const before = revision()
    const { answers, output } = await during('deploy:rollback')
    expect(output).toContain('restarted by passenger-config')
    expect(answers).toEqual([`200 ${before} 2`, `200 ${revision()} 2`])
    expect(revision()).not.toBe(before)
  })

  test('touch: a request of the next second starts the new release, and none fails', async () => {
    const before = revision()
    const next = fleet.origin.commit({ 'db/version': '4\n' })
    fleet.configure(RESTARTED.replace('passenger()', 'passenger({ touch: true })'))
    const requests = hammer(server.url)
    const ended = await fleet.run('deploy')
    fleet.configure(RESTARTED)
    expect(ended, ended.output).toMatchObject({ code: 0 })
    await until('the new release answers', () => requests.answers.length > 1)
    expect(await requests.stop()).toEqual([`200 ${before} 2`, `200 ${next} 2`])
  })

  test('where passenger-config finds no such application, which may not be seen, the file is touched', async () => {
    const next = fleet.origin.commit({ 'db/version': '5\n' })
    await server.stop()
    const ended = await fleet.run('deploy')
    expect(ended, ended.output).toMatchObject({ code: 0 })
    expect(ended.output).toContain('passenger-config finds no running Passenger here')
    expect(app.names('current/tmp')).toContain('restart.txt')
    server = await startPassenger(app.path, join(fleet.root, 'passenger'))
    expect(await served()).toBe(`${next} 2`)
  })
})
