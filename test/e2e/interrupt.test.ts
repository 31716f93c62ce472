import { execFileSync } from 'node:child_process'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { servicesFound } from '../servers/service.ts'
import { until, type Running } from './command.ts'
import { psql } from './database.ts'
import { startWorld, type World } from './world.ts'

describe.runIf(servicesFound('sshd', 'postgres'))('a deploy that is told to stop', () => {
  let world: World

  // Each leaves it as it was: a migration that is stopped has not been applied.
  beforeAll(async () => {
    world = await startWorld({ databases: ['production'] })
    const first = await world.deployfile('production', 'deploy:migrations', '--yes')
    expect(first, first.output).toMatchObject({ code: 0 })
  })
  afterAll(() => world.stop())

  // The server goes on with a sleep whose client is gone, and keeps its locks. Each is told by its length.
  let seconds = 45
  const sleeping = (what: string): string =>
    psql(
      world.databases.production,
      `select ${what} from pg_stat_activity where query like '%pg_sleep(${String(seconds)})%' and pid <> pg_backend_pid()`,
    )
  afterEach(() => {
    sleeping('pg_terminate_backend(pid)')
  })

  /** What runs on the hosts with the database of this test. */
  const migrating = (): readonly string[] =>
    execFileSync('ps', ['-eo', 'args='], { encoding: 'utf8' })
      .split('\n')
      .filter((args) => args.startsWith('psql') || args.includes('/psql '))
      .filter((args) => args.includes(world.databases.production) && args.includes('_slow.sql'))

  /** A deploy that stands in the middle of its migrations: the new release is there on both hosts, nothing is flipped. */
  async function startSlowDeploy(): Promise<Running> {
    seconds++
    world.origin.commit({ 'db/migrate/20260201000000_slow.sql': `select pg_sleep(${String(seconds)});\n` })
    const running = world.start('production', 'deploy:migrations', '--yes')
    await until('the migration sleeps', () => sleeping('count(*)').startsWith('1'))
    return running
  }

  test('Ctrl-C during a deploy takes the new release away and leaves what is served', async () => {
    const before = world.state()
    const running = await startSlowDeploy()
    expect(world.state()).not.toEqual(before)

    expect(migrating()).toHaveLength(1)
    running.interrupt('SIGINT')
    const ended = await running.ended

    expect(ended, ended.output).toMatchObject({ code: 130 })
    expect(world.state()).toEqual(before)
    // On the host nothing goes on by itself that could still write.
    expect(migrating()).toEqual([])
    const versions = psql(world.databases.production, 'select version from schema_migrations order by 1')
    expect(versions).not.toContain('20260201000000')
  })

  // Ctrl-C reaches every process of the terminal, and npx passes it on once more, a few milliseconds later.
  test('the same Ctrl-C twice, as npx passes it on, still takes the release away', async () => {
    const before = world.state()
    const running = await startSlowDeploy()

    running.interrupt('SIGINT')
    await new Promise((resolve) => setTimeout(resolve, 5))
    running.interrupt('SIGINT')
    const ended = await running.ended

    expect(ended, ended.output).toMatchObject({ code: 130 })
    expect(world.state()).toEqual(before)
  })

  test.each([
    ['SIGTERM, as a CI job that is cancelled sends it,', 'SIGTERM', 143],
    ['SIGHUP, as a terminal that is closed sends it,', 'SIGHUP', 129],
  ] as const)('%s does the same', async (_, signal, code) => {
    const before = world.state()
    const running = await startSlowDeploy()

    running.interrupt(signal)
    const ended = await running.ended

    expect(ended, ended.output).toMatchObject({ code })
    expect(world.state()).toEqual(before)
    expect(world.hosts.map((host) => host.deployment('production').names('.deployfile'))).toEqual([
      ['releases.jsonl'],
      ['releases.jsonl'],
    ])
  })
})
