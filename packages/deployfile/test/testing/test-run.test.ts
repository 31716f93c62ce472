import { defineConfig, group, optional, task } from 'deployfile'
import { deploy, passenger } from 'deployfile/recipes'
import { fake, manualClock, planOf, testRun, type TestRunOptions } from 'deployfile/testing'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'

const check = task('check', { on: 'web', effect: 'read', run: ({ remote }) => remote.capture`df` })
const release = task('release', {
  on: 'web',
  needs: { check },
  input: z.object({ keep: z.number().default(5) }),
  run: async ({ remote, input }) => {
    await remote.sh`mkdir ${`r${String(input.keep)}`}`
    return { path: '/r' }
  },
  undo: ({ remote }) => remote.sh`rmdir r`.then(() => undefined),
})
const migrate = task('migrate', {
  needs: { release },
  run: ({ needs, log }) => log(`${needs.release.length} hosts`),
})
const restart = task('restart', {
  on: 'web',
  needs: { release, migrate: optional(migrate) },
  when: ({ host }) => (host?.name === 'b' ? 'b is drained' : true),
  run: ({ remote }) => remote.sh`touch restart`.then(() => null),
})
const notify = task('notify', { onError: 'warn', run: () => 'sent' })
const ship = group('ship', { migrate, restart })
const local = { roles: ['web'] }
const config = defineConfig({
  stages: { dev: { hosts: { a: local, b: local } }, production: { protected: true, hosts: { c: local } } },
  defaultStage: 'dev',
  tasks: [ship, notify],
  after: { ship: [notify] },
})

describe('a run of recorded tasks', () => {
  test('is the real one, with fakes in the place of some bodies', async () => {
    const ran = await testRun(config, {
      tasks: [ship],
      fakes: [fake(check, '9G')],
      inputs: { 'release.keep': 2 },
    })
    expect(ran.status).toBe('done')
    expect(ran.result(release).map(({ host, value }) => `${host.name} ${value.path}`)).toEqual([
      'a /r',
      'b /r',
    ])
    expect(ran.result(notify)).toBe('sent')
    expect(ran.logs).toEqual(['migrate: 2 hosts'])
    expect(ran.commands.map(({ node, text }) => `${node}: ${text}`)).toEqual([
      "release@dev/a: mkdir 'r2'",
      "release@dev/b: mkdir 'r2'",
      'restart@dev/a: touch restart',
    ])
    expect(ran.nodes.get('restart@dev/b')?.status).toBe('skipped')
  })

  test('does not plan what only a fake needs, and asks nothing of a protected stage', async () => {
    const ran = await testRun(config, {
      stage: 'production',
      tasks: ['ship'],
      fakes: [fake(release, { path: '/x' })],
    })
    expect(ran.status).toBe('done')
    expect(ran.plan.nodes.some((node) => node.task === 'check')).toBe(false)
    expect(ran.questions).toEqual([])
    expect(ran.result(release).get('c')).toEqual({ path: '/x' })
  })

  test('undoes what a failing fake leaves behind', async () => {
    const ran = await testRun(config, {
      tasks: ['ship'],
      fakes: [
        fake(check, '9G'),
        fake(migrate, () => {
          throw new Error('locked')
        }),
      ],
    })
    expect(ran.status).toBe('failed')
    expect(ran.failures.map(({ node, problem }) => `${node}: ${problem.message}`)).toEqual([
      'migrate: locked',
    ])
    expect(
      ran.commands.flatMap(({ phase, text, host }) => (phase === 'undo' ? [`${host} ${text}`] : [])).sort(),
    ).toEqual(['a rmdir r', 'b rmdir r'])
  })

  describe('goes on, goes back and takes turns as it is told', () => {
    const good = task('good', {
      run: () => 'done',
      undo: ({ local }) => local.sh`rm x`.then(() => undefined),
    })
    const bad = task('bad', {
      needs: { good },
      run: () => {
        throw new Error('broken')
      },
    })
    const other = task('other', { needs: { good }, run: () => 1 })
    const both = group('both', { bad, other })
    const statusOfOther = async (options: TestRunOptions): Promise<string | undefined> =>
      (await testRun([both], { concurrency: 1, ...options })).nodes.get('other')?.status

    test('onFailure, one task at a time', async () => {
      expect(await statusOfOther({})).toBe('blocked')
      expect(await statusOfOther({ onFailure: 'continue' })).toBe('done')
    })

    test('undo', async () => {
      const undone = async (options: TestRunOptions): Promise<readonly string[]> =>
        (await testRun([both], options)).commands.map(({ text }) => text)
      expect(await undone({})).toEqual(['rm x'])
      expect(await undone({ undo: 'off' })).toEqual([])
      expect(await undone({ undo: 'ask', confirm: 'undo' })).toEqual(['rm x'])
      expect(await undone({ undo: 'ask', confirm: 'no' })).toEqual([])
    })

    test('grace', async () => {
      const clock = manualClock()
      const deaf = task('deaf', { timeout: 5, run: () => new Promise<void>(() => undefined) })
      const running = testRun([deaf], { clock, grace: 7 })
      await clock.advance(12)
      expect((await running).nodes.get('deaf')?.abandoned).toBe(true)
    })
  })

  test('needs no config for a few tasks', async () => {
    const ran = await testRun([migrate], {
      hosts: { x: {}, y: {}, z: {} },
      fakes: [fake(release, { path: '' })],
    })
    expect(ran.logs).toEqual(['migrate: 3 hosts'])
    expect(ran.plan.stage).toBe('test')
  })

  test.each([
    [{ tasks: ['shp'] }, "there is no task 'shp'"],
    [{}, 'no task was named'],
    [{ tasks: ['ship'], concurrency: 0 }, 'concurrency is 0'],
    [{ tasks: ['ship'], undo: 'never' as 'off' }, "undo is 'never'"],
    [{ tasks: ['ship'], hosts: { x: {} } }, 'a config has its own stages: hosts and protected are for tasks'],
    [
      { tasks: ['ship'], fakes: [fake(task('other', { run: () => 1 }), 1)] },
      "there is a fake of 'other', which is not among the tasks",
    ],
  ])('is refused like a command: %#', async (options, message) => {
    await expect(testRun(config, options)).rejects.toMatchObject({ kind: 'usage', message })
  })
})

describe('a plan', () => {
  test('is simple data', () => {
    const plan = planOf(config, { tasks: ['ship'] })
    expect(plan.order).toEqual([
      ...['check@dev/a', 'check@dev/b', 'release@dev/a', 'release@dev/b'],
      ...['migrate', 'restart@dev/a', 'ship', 'notify'],
    ])
    expect(plan.nodes.find(({ id }) => id === 'restart@dev/b')).toEqual({
      id: 'restart@dev/b',
      task: 'restart',
      host: 'b',
      effect: 'write',
      skip: 'b is drained',
      after: [],
    })
    expect(plan.nodes.find(({ id }) => id === 'migrate')?.after).toEqual(['release@dev/a', 'release@dev/b'])
    expect(plan.nodes.find(({ id }) => id === 'restart@dev/a')?.after).toEqual(['migrate', 'release@dev/a'])
    expect(plan.stage).toBe('dev')
  })

  test('tells what is before what, by task or by node', () => {
    const { isBefore } = planOf(config, { tasks: ['ship'] })
    expect(isBefore('release', 'migrate')).toBe(true)
    expect(isBefore('check', 'release')).toBe(false)
    expect(isBefore('check@dev/a', 'release@dev/a')).toBe(true)
    expect(isBefore('migrate', 'release')).toBe(false)
    expect(isBefore('ship', 'notify')).toBe(true)
    expect(() => isBefore('relase', 'migrate')).toThrow("the plan has no 'relase'")
  })

  test('of a recipe has its barriers', () => {
    const app = deploy({
      application: 'a',
      repository: 'r',
      branch: 'main',
      deployTo: '/srv/a',
      restart: passenger(),
      migrate: 'rake db:migrate',
    })
    const hosts = { web1: { roles: ['app', 'web', 'db'] }, web2: { roles: ['app', 'web'] } }
    const deployed = defineConfig({ stages: { production: { hosts } }, use: [app] })
    const { isBefore, order } = planOf(deployed, { stage: 'production', tasks: [app.tasks.migrations] })
    expect(isBefore('deploy:release', 'deploy:publish')).toBe(true)
    expect(isBefore('deploy:migrate', 'deploy:publish')).toBe(true)
    expect(order.filter((id) => id.startsWith('deploy:migrate'))).toEqual(['deploy:migrate@production/web1'])
  })
})
