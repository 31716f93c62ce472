import { all, optional, override, task, type Question } from 'deployfile'
import { fake, manualClock, testTask } from 'deployfile/testing'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'

const build = task('build', { run: () => ({ dir: 'dist' }) })
const release = task('release', { on: 'web', needs: { build }, run: () => ({ path: '/srv' }) })
const migrate = task('migrate', { on: { role: 'db', pick: 'primary' }, run: () => 3 })
const link = task('link', {
  on: 'web',
  input: z.object({ name: z.string() }),
  needs: { build, release, migrated: optional(migrate) },
  async run({ input, needs, remote, log, skip, host }) {
    const now = await remote.capture`readlink ${input.name}`
    if (now === needs.release.path) return skip('it is there', { was: now, rows: 0 })
    await remote.with({ cwd: '/srv' }).sh`ln -sfn ${needs.release.path} ${input.name}`
    log(`${input.name} on ${host.name}`)
    return { was: now, rows: needs.migrated ?? 0 }
  },
  async undo({ input, result, outcome, remote, log }) {
    log(outcome)
    if (result) await remote.sh`ln -sfn ${result.was} ${input.name}`
  },
  finally: ({ local }) => local.sh`true`.then(() => undefined),
})
const needs = [fake(build, { dir: 'out' }), fake(release, { path: '/srv/2' })]
const input = { name: 'current' }
const answers = [["readlink 'current'", '/srv/1']] as const

const texts = (commands: readonly { readonly text: string }[]): string[] => commands.map(({ text }) => text)

describe('one task', () => {
  test('gives its result, log lines and commands', async () => {
    const { status, result, skipped, failure, logs, commands, undo } = await testTask(link, {
      input,
      answers,
      fakes: needs,
    })
    expect({ status, result, skipped, failure, undo }).toEqual({
      status: 'done',
      result: { was: '/srv/1', rows: 0 },
      skipped: undefined,
      failure: undefined,
      undo: undefined,
    })
    expect(logs).toEqual(['current on host'])
    expect(texts(commands)).toEqual(["readlink 'current'", "ln -sfn '/srv/2' 'current'"])
    expect(commands[1]).toMatchObject({
      host: 'host',
      node: 'link{"name":"current"}@test/host',
      phase: 'run',
      reads: false,
      options: { cwd: '/srv' },
    })
  })

  test('gives the reason and the value of a skip', async () => {
    const skipping = await testTask(link, { input, fakes: needs, answers: [[/^readlink/, '/srv/2']] })
    expect(skipping).toMatchObject({
      status: 'skipped',
      skipped: 'it is there',
      result: { was: '/srv/2', rows: 0 },
    })
  })

  test('sees an optional need where it has a fake', async () => {
    const { result } = await testTask(link, { input, answers, fakes: [...needs, fake(migrate, 7)] })
    expect(result?.rows).toBe(7)
  })

  test('is undone when it fails, and when something fails after it', async () => {
    const failing = await testTask(link, {
      input,
      fakes: needs,
      answers: [...answers, [/^ln/, { exitCode: 1, stderr: 'read-only' }]],
    })
    expect(failing.status).toBe('failed')
    expect(failing.failure).toMatchObject({ code: 'COMMAND_FAILED', command: { tail: ['read-only'] } })
    expect(failing.undo).toEqual({ failure: undefined, logs: ['failed'], commands: [] })
    const undone = await testTask(link, { input, answers, fakes: needs, undo: true })
    expect(undone.status).toBe('done')
    expect(undone.failure).toBeUndefined()
    expect(undone.undo?.logs).toEqual(['done'])
    expect(texts(undone.undo?.commands ?? [])).toEqual(["ln -sfn '/srv/1' 'current'"])
    expect(texts(undone.finally?.commands ?? [])).toEqual(['true'])
    expect(texts(undone.commands)).toEqual(["readlink 'current'", "ln -sfn '/srv/2' 'current'"])
  })

  test('that is left without an answer to what it reads fails, and says of what', async () => {
    const { failure } = await testTask(link, { input, fakes: needs })
    expect(failure?.message).toContain("nobody told the recorder what capture of `readlink 'current'` gives")
  })

  test('says why `when` keeps it from running', async () => {
    const spring = task('spring', {
      when: ({ stage }) => (stage.name === 'dev' ? true : 'only on dev'),
      run: ({ stage }) => stage.name,
    })
    expect(await testTask(spring)).toMatchObject({ status: 'skipped', skipped: 'only on dev' })
    expect(await testTask(spring, { stage: 'dev' })).toMatchObject({ status: 'done', result: 'dev' })
  })

  test('returns something that JSON cannot carry, as in a run', async () => {
    const bad = task('bad', { run: () => ({ when: new Date(0) }) })
    expect((await testTask(bad)).failure?.code).toBe('RESULT_NOT_JSON')
  })

  test('asks, and is answered or not', async () => {
    const asking = task('asking', {
      run: ({ confirm, stage }) => confirm({ message: 'Sure?', answer: stage.name }).then(() => 1),
    })
    const unanswered = await testTask(asking)
    expect(unanswered.failure?.code).toBe('NOT_CONFIRMED')
    expect(unanswered.questions).toEqual([{ message: 'Sure?', answer: 'test' }])
    expect((await testTask(asking, { confirm: ({ answer }: Question) => answer })).result).toBe(1)
    expect((await testTask(asking, { stage: 'live', protected: true, confirm: 'live' })).result).toBe(1)
  })
})

describe('hosts', () => {
  const warm = task('warm', {
    on: 'web',
    needs: { mine: release, every: all(release) },
    run: ({ needs, host }) =>
      `${host.name} ${needs.mine.path} of ${needs.every.map(({ value }) => value.path).join()}`,
  })
  const count = task('count', { needs: { release }, run: ({ needs }) => needs.release.get('b')?.path })
  const fakes = [fake(release, ({ host }) => ({ path: `/${String(host?.name)}` }))]
  const hosts = { a: {}, b: { roles: ['web', 'db'] }, c: { roles: ['db'] } }

  test('a per-host task sees its own host and all', async () => {
    expect((await testTask(warm, { hosts, fakes })).result).toBe('a /a of /a,/b')
    expect((await testTask(warm, { hosts, fakes, host: 'b' })).result).toBe('b /b of /a,/b')
  })

  test('a task without `on` sees PerHost', async () => {
    expect((await testTask(count, { hosts, fakes })).result).toBe('/b')
  })

  test('a host where it does not run is refused', async () => {
    await expect(testTask(warm, { hosts, fakes, host: 'c' })).rejects.toMatchObject({
      code: 'FAKE_INVALID',
      message: "'warm' does not run on c",
      details: { hint: 'It runs on: a, b.' },
    })
  })

  test('a task on another stage finds it', async () => {
    const dump = task('dump', {
      on: { stage: 'production', role: 'db', pick: 'primary' },
      run: ({ host }) => host.stage,
    })
    expect((await testTask(dump)).result).toBe('production')
  })
})

describe('fakes', () => {
  test('may throw, and then the task does not start', async () => {
    const broken = await testTask(link, {
      input,
      fakes: [
        fake(build, { dir: 'out' }),
        fake(release, () => {
          throw new Error('disk full')
        }),
      ],
    })
    expect(broken.status).toBe('blocked')
  })

  test('are told apart by input', async () => {
    const tag = task('tag', { input: z.object({ name: z.string() }), run: ({ input }) => input.name })
    const both = task('both', {
      needs: { one: tag.with({ name: 'one' }), two: tag.with({ name: 'two' }) },
      run: ({ needs }) => needs.one + needs.two,
    })
    const { result } = await testTask(both, { fakes: [fake(tag, ({ input }) => input.name.toUpperCase())] })
    expect(result).toBe('ONETWO')
  })

  test.each([
    [[], "'link' needs 'build', and there is no fake of it"],
    [[...needs, fake(release, { path: '' })], "there are two fakes of 'release'"],
    [
      [...needs, fake(task('other', { run: () => 1 }), 1)],
      "'link' neither needs nor called 'other', of which there is a fake",
    ],
  ])('must fit the needs: %#', async (fakes, message) => {
    await expect(testTask(link, { input, fakes })).rejects.toMatchObject({ kind: 'usage', message })
  })
})

test('an override is tested with the needs of both', async () => {
  const extra = task('extra', { run: () => 'x' })
  const faster = override(release, {
    needs: { extra },
    async run({ base, needs, log }) {
      log(needs.extra)
      return base()
    },
  })
  const { result, logs, undo } = await testTask(faster, {
    fakes: [fake(extra, 'y'), fake(build, { dir: 'd' })],
    undo: true,
  })
  expect(result).toEqual({ path: '/srv' })
  expect(logs).toEqual(['y'])
  expect(undo).toBeUndefined()
})

describe('a clock', () => {
  test('that stands still until it is moved makes delays and timeouts testable', async () => {
    const clock = manualClock()
    const starts: number[] = []
    const flaky = task('flaky', {
      retry: { times: 2, delay: '10s' },
      run() {
        starts.push(clock.now())
        if (starts.length < 3) throw new Error('not yet')
        return 'up'
      },
    })
    const tested = testTask(flaky, { clock })
    await clock.advance(9_999)
    expect(starts).toEqual([0])
    await clock.advance(60_000)
    expect((await tested).result).toBe('up')
    expect(starts).toHaveLength(3)
    expect(starts[1]).toBe(10_000)
    expect(clock.pending).toBe(0)
  })

  test('ends what hangs', async () => {
    const clock = manualClock()
    const hangs = task('hangs', {
      timeout: '5m',
      run: ({ signal }) =>
        new Promise<void>((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reject(new Error('told to stop'))
          })
        }),
    })
    const tested = testTask(hangs, { clock })
    await clock.advance(5 * 60_000)
    expect((await tested).failure?.code).toBe('TASK_TIMEOUT')
  })
})
