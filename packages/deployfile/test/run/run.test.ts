import { getEventListeners } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { defineConfig, plan, run, task, type Question, type RunEvent } from 'deployfile'
import { describe, expect, onTestFinished, test } from 'vitest'
import * as z from 'zod'

const tag = task('tag', {
  input: z.object({ name: z.string().default('none'), count: z.number().default(1) }),
  run: ({ input }) => `${input.name}-${String(input.count)}`,
})
const release = task('release', { on: 'web', run: ({ host }) => ({ path: `/srv/${host.name}` }) })
const migrate = task('migrate', { on: { role: 'web', pick: 'primary' }, run: () => 3 })
const report = task('report', {
  needs: { release, migrate },
  run: ({ needs, log }) => {
    log('counting')
    return needs.release.length + needs.migrate
  },
})
const drop = task('drop', { on: 'web', effect: 'destroy', run: () => null })
const ask = task('ask', {
  effect: 'read',
  run: ({ confirm }) => confirm({ message: 'Sure?', answer: 'app' }).then(() => 'asked'),
})
const bad = task('bad', {
  needs: { tag },
  run() {
    throw new Error('no space')
  },
})
const undone: string[] = []
const slow = task('slow', {
  async run({ local, log }) {
    log('begun')
    await local.sh`sleep 60`
  },
  undo: ({ outcome }) => void undone.push(outcome),
})

const local = { transport: 'local', roles: ['web'] } as const
const config = defineConfig({
  stages: {
    dev: { hosts: { a: local, b: local } },
    production: { protected: true, hosts: { c: local } },
  },
  defaultStage: 'dev',
  tasks: [report, drop, ask, bad, slow],
})

function folder(): string {
  const made = mkdtempSync(path.join(tmpdir(), 'deployfile-run-'))
  onTestFinished(() => rmSync(made, { recursive: true, force: true }))
  return made
}

async function gather(events: AsyncIterable<RunEvent>): Promise<RunEvent[]> {
  const all: RunEvent[] = []
  for await (const event of events) all.push(event)
  return all
}

describe('results', () => {
  test('are typed by the task value: PerHost for a task on several hosts', async () => {
    const outcome = await run(config, { tasks: [report], cwd: folder() }).outcome
    expect(outcome.status).toBe('done')
    expect(outcome.result(report)).toBe(5)
    expect(outcome.result(migrate)).toBe(3)
    expect(outcome.result(release).map(({ host, value }) => [host.name, value.path])).toEqual([
      ['a', '/srv/a'],
      ['b', '/srv/b'],
    ])
    expect(outcome.result(release).get('b')?.path).toBe('/srv/b')
    expect(outcome.result('report')).toBe(5)
  })

  test('of the same task with other input are told apart', async () => {
    const named = tag.with({ name: 'v1', count: 2 })
    const outcome = await run(config, { tasks: [named, tag], inputs: { count: 7 }, cwd: folder() }).outcome
    expect(outcome.result(named)).toBe('v1-2')
    expect(outcome.result(tag)).toBe('none-7')
  })

  test('that are not there are an error, never undefined', async () => {
    const outcome = await run(config, { tasks: ['bad'], cwd: folder() }).outcome
    expect(outcome.status).toBe('failed')
    expect(outcome.failures.map(({ node, problem }) => `${node}: ${problem.message}`)).toEqual([
      'bad: no space',
    ])
    expect(outcome.result(tag)).toBe('none-1')
    expect(() => outcome.result(bad)).toThrow("'bad' has no result: it ended as 'failed'")
    expect(() => outcome.result(release)).toThrow("'release' was not part of this run")
    expect(() => outcome.result(tag.with({ name: 'x' }))).toThrow(
      `'tag{"name":"x"}' was not part of this run`,
    )
  })
})

describe('events', () => {
  test('are complete for every reader, however late, and equal the journal', async () => {
    const handle = run(config, { tasks: [report], cwd: folder() })
    const early = gather(handle.events)
    const outcome = await handle.outcome
    const late = await gather(handle.events)
    expect(late).toEqual(await early)
    expect(late.map(({ seq }) => seq)).toEqual(late.map((_, index) => index + 1))
    expect(late[0]).toMatchObject({ type: 'run.started', tasks: ['report'] })
    expect(late.at(-1)).toMatchObject({ type: 'run.ended', status: 'done' })
    const lines = readFileSync(outcome.log, 'utf8').trimEnd().split('\n')
    expect(late).toEqual(lines.map((line) => JSON.parse(line) as RunEvent))
    expect(path.basename(path.dirname(outcome.log))).toBe(outcome.id)
  })

  test('arrive while the run goes on', async () => {
    const stopping = new AbortController()
    const handle = run(config, { tasks: [slow], cwd: folder(), signal: stopping.signal })
    const seen: string[] = []
    for await (const event of handle.events) {
      seen.push(event.type)
      if (event.type === 'node.log') stopping.abort()
    }
    expect(seen).toContain('run.stopping')
    const outcome = await handle.outcome
    expect(outcome.status).toBe('cancelled')
    expect(undone).toEqual(['cancelled'])
    expect(() => outcome.result(slow)).toThrow("it ended as 'cancelled'")
  })

  test('are left by a reader at any time, without harm to the others', async () => {
    const handle = run(config, { tasks: [report], cwd: folder() })
    for await (const event of handle.events) {
      expect(event.seq).toBe(1)
      break
    }
    const all = await gather(handle.events)
    expect(all.at(-1)?.type).toBe('run.ended')
    expect((await handle.outcome).status).toBe('done')
  })

  test('of long lines and many of them are whole', async () => {
    const talk = task('talk', {
      run({ log }) {
        for (let line = 0; line < 500; line++) log(`${String(line)} ${'ä'.repeat(1000)}`)
        return 'ö'.repeat(200_000)
      },
    })
    const talkative = defineConfig({ stages: { dev: { hosts: {} } }, defaultStage: 'dev', tasks: [talk] })
    const handle = run(talkative, { tasks: [talk], cwd: folder() })
    const logs = (await gather(handle.events)).flatMap((event) =>
      event.type === 'node.log' ? [event.message] : [],
    )
    expect(logs).toHaveLength(500)
    expect(logs[499]).toBe(`499 ${'ä'.repeat(1000)}`)
    expect((await handle.outcome).result(talk)).toHaveLength(200_000)
  })

  test('throw what kept the run from starting, and then nobody has to look at the outcome', async () => {
    const handle = run(config, { tasks: ['reprot'], cwd: folder() })
    await expect(gather(handle.events)).rejects.toMatchObject({ code: 'TASK_UNKNOWN' })
  })
})

describe('a run that nobody looks at', () => {
  test('is reported by Node when it cannot start, as any promise is', async () => {
    const others = process.listeners('unhandledRejection')
    process.removeAllListeners('unhandledRejection')
    onTestFinished(() => others.forEach((listener) => process.on('unhandledRejection', listener)))
    const reported = new Promise((resolve) => process.once('unhandledRejection', resolve))
    run(config, { tasks: ['nothing'], cwd: folder() })
    expect(await reported).toMatchObject({ code: 'TASK_UNKNOWN' })
  })
})

describe('limits', () => {
  test("onFailure: 'continue' still runs what does not depend on the failure", async () => {
    const request = { tasks: [bad, release], concurrency: 1, grace: 0, cwd: folder() }
    const stopped = await run(config, request).outcome
    expect(stopped.nodes.get('release@dev/a')?.status).toBe('blocked')
    const continued = await run(config, { ...request, onFailure: 'continue' }).outcome
    expect(continued.status).toBe('failed')
    expect(continued.nodes.get('release@dev/a')?.status).toBe('done')
  })

  test.each([
    [{ concurrency: 0 }, 'concurrency is 0'],
    [{ concurrency: NaN }, 'concurrency is NaN'],
    [{ grace: -1 }, 'grace is -1'],
    [{ lockWait: -1 }, 'lockWait is -1'],
    [{ onFailure: 'stop' as never }, "onFailure is 'stop'"],
  ])('%o is refused', async (limits, message) => {
    await expect(run(config, { tasks: [bad], cwd: folder(), ...limits }).outcome).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      message,
    })
  })
})

test('lockWait reaches the bodies', async () => {
  const wait = task('wait', { effect: 'read', run: ({ run: { lockWait } }) => lockWait ?? 'none' })
  const own = defineConfig({ stages: { dev: { hosts: { a: local } } }, defaultStage: 'dev', tasks: [wait] })
  const waiting = await run(own, { tasks: [wait], cwd: folder(), lockWait: 500 }).outcome
  expect(waiting.result(wait)).toBe(500)
  expect((await run(own, { tasks: [wait], cwd: folder() }).outcome).result(wait)).toBe('none')
})

describe('questions', () => {
  test('a protected stage is not written to unless somebody says so', async () => {
    const cwd = folder()
    await expect(run(config, { stage: 'production', tasks: [release], cwd }).outcome).rejects.toMatchObject({
      code: 'NOT_CONFIRMED',
      kind: 'check',
      message:
        'not confirmed: this needs an answer, and no `confirm` was given to answer it\n' +
        'production is protected. This changes it:\n  release on c',
      details: { hint: 'To go on, add yes: true' },
    })
    expect(existsSync(path.join(cwd, '.deployfile'))).toBe(false)
  })

  test.each([{ yes: true }, { confirm: 'production' }, { confirm: ({ answer }: Question) => answer }])(
    'a protected stage is written to with %o',
    async (more) => {
      const outcome = await run(config, { stage: 'production', tasks: [release], cwd: folder(), ...more })
        .outcome
      expect(outcome.result(release).get('c')).toEqual({ path: '/srv/c' })
    },
  )

  test('`yes` does not destroy, a wrong name does nothing', async () => {
    const request = { stage: 'production', tasks: [drop], cwd: folder() }
    await expect(run(config, { ...request, yes: true }).outcome).rejects.toMatchObject({
      details: { hint: "To go on, add confirm: 'production'" },
    })
    await expect(run(config, { ...request, confirm: 'prod' }).outcome).rejects.toThrow(
      "not confirmed: confirm: 'prod' is not the answer",
    )
    await expect(run(config, { ...request, confirm: () => undefined }).outcome).rejects.toThrow(
      'not confirmed: the question was not answered',
    )
  })

  test('of a task go to the same function, and a throw of it fails the task', async () => {
    const asked: string[] = []
    const confirm = ({ message, answer }: Question): string => {
      asked.push(message)
      return answer
    }
    const outcome = await run(config, { tasks: [ask], cwd: folder(), confirm }).outcome
    expect(asked).toEqual(['Sure?'])
    expect(outcome.result(ask)).toBe('asked')
    const broken = await run(config, {
      tasks: [ask],
      cwd: folder(),
      confirm: () => {
        throw new Error('chat is down')
      },
    }).outcome
    expect(broken.failures[0]?.problem.message).toBe('chat is down')
  })
})

describe('a config', () => {
  const TEXT = `import { defineConfig, task } from 'deployfile'
export default defineConfig({
  stages: { dev: { hosts: {} } },
  defaultStage: 'dev',
  tasks: [task('where', { run: ({ run }) => run.root })],
})`

  test('may be a path, of the file or of its folder', async () => {
    const root = folder()
    writeFileSync(path.join(root, 'deploy.config.ts'), TEXT)
    for (const config of ['deploy.config.ts', '.']) {
      const outcome = await run(config, { tasks: ['where'], cwd: root }).outcome
      expect(outcome.result('where')).toBe(root)
    }
    expect(readdirSync(path.join(root, '.deployfile/runs'))).toHaveLength(2)
  })

  test('that is not there, or none, is refused', async () => {
    const cwd = folder()
    await expect(run('nope.ts', { tasks: ['x'], cwd }).outcome).rejects.toMatchObject({
      code: 'CONFIG_MISSING',
      message: `the config ${cwd}/nope.ts does not exist`,
    })
    await expect(run({} as never, { tasks: ['x'], cwd }).outcome).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    })
    await expect(run(config, { tasks: [], cwd }).outcome).rejects.toMatchObject({ code: 'TASK_MISSING' })
  })
})

test('a plan is data, made without running anything', async () => {
  const made = await plan(config, { stage: 'production', tasks: [report] })
  expect(made.stage).toBe('production')
  expect(made.nodes.map(({ id }) => id)).toEqual(['release@production/c', 'migrate@production/c', 'report'])
  expect(JSON.parse(JSON.stringify(made))).toEqual(made)
  await expect(plan(config, { stage: 'prod', tasks: [report] })).rejects.toMatchObject({
    code: 'STAGE_UNKNOWN',
  })
})

test('a signal that outlives the run is let go', async () => {
  const { signal } = new AbortController()
  await run(config, { tasks: [report], cwd: folder(), signal }).outcome
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

test('a signal that was aborted before stops everything before it starts', async () => {
  const outcome = await run(config, { tasks: [report], cwd: folder(), signal: AbortSignal.abort() }).outcome
  expect(outcome.status).toBe('cancelled')
  expect([...outcome.nodes.values()].every(({ status }) => status === 'blocked')).toBe(true)
})
