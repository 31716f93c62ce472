import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { defineConfig, run, task, type RunEvent } from 'deployfile'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

let cwd = ''
beforeEach(() => {
  cwd = mkdtempSync(path.join(tmpdir(), 'deployfile-resume-'))
})
afterEach(() => {
  rmSync(cwd, { recursive: true, force: true })
})

let broken = true
let built = 0
const build = task('build', {
  run: () => ({ number: ++built }),
  undo: () => {
    built--
  },
})
const publish = task('publish', {
  needs: { build },
  run: ({ needs, run: { id } }) => {
    if (broken) throw new Error('broken')
    return `${id} ${String(needs.build.number)}`
  },
})
const config = defineConfig({ stages: { dev: { hosts: {} } }, defaultStage: 'dev', tasks: [publish] })

beforeEach(() => {
  broken = true
  built = 0
})

describe('a program', () => {
  it('goes on with the last run, or one that it names', async () => {
    const first = await run(config, { tasks: [publish], cwd, undo: 'off' }).outcome
    expect(first).toMatchObject({ status: 'failed', left: true })
    const again = await run(config, { resume: first.id, cwd, undo: 'off' }).outcome
    expect(again).toMatchObject({ status: 'failed', id: first.id })
    broken = false
    const handle = run(config, { resume: 'last', cwd })
    const seen: RunEvent[] = []
    for await (const event of handle.events) seen.push(event)
    const outcome = await handle.outcome
    expect(outcome).toMatchObject({ status: 'done', id: first.id, log: first.log })
    expect(outcome.result(publish)).toBe(`${first.id} 1`)
    expect(outcome.result(build)).toEqual({ number: 1 })
    // Only its own, in a file that holds them all.
    expect(seen[0]).toMatchObject({ type: 'run.resumed', mode: 'resume', kept: ['build'], changed: [] })
    expect(seen.at(-1)).toMatchObject({ type: 'run.ended' })
    const file = readFileSync(outcome.log, 'utf8').trimEnd().split('\n')
    expect(file.map((line) => (JSON.parse(line) as RunEvent).seq)).toEqual(file.map((_, index) => index + 1))
    expect(file.length).toBeGreaterThan(seen.length)
  })

  it('is refused a run that was undone, and gives it back', async () => {
    const { id, log } = await run(config, { tasks: [publish], cwd }).outcome
    for (let twice = 0; twice < 2; twice++) {
      await expect(run(config, { resume: id, cwd }).outcome).rejects.toMatchObject({
        code: 'RESUME_REFUSED',
        kind: 'usage',
        message: `the run ${id} cannot be resumed: it failed and was undone`,
      })
    }
    expect(built).toBe(0)
    expect(existsSync(path.join(path.dirname(log), 'owner.3.over'))).toBe(true)
  })

  it('is refused while the run goes on', async () => {
    let finish = (): void => undefined
    const slow = task('slow', { run: () => new Promise<void>((resolve) => (finish = resolve)) })
    const own = defineConfig({ stages: { dev: { hosts: {} } }, defaultStage: 'dev', tasks: [slow] })
    const handle = run(own, { tasks: [slow], cwd })
    for await (const event of handle.events) if (event.type === 'node.started') break
    await expect(run(own, { resume: 'last', cwd }).outcome).rejects.toMatchObject({ code: 'RUN_ALIVE' })
    finish()
    expect((await handle.outcome).status).toBe('done')
  })

  it('is told of a run that is not there', async () => {
    await expect(run(config, { resume: 'last', cwd }).outcome).rejects.toMatchObject({ code: 'RUN_UNKNOWN' })
  })
})
