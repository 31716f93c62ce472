import { defineConfig, task } from 'deployfile'
import { fake, manualClock, planOf, testRun, testTask } from 'deployfile/testing'
import { expect, test } from 'vitest'
import * as z from 'zod'

const build = task('assets:build', {
  input: z.object({ mode: z.enum(['dev', 'prod']).default('prod') }),
  async run({ input, local }) {
    await local.sh`npm run build -- --mode ${input.mode}`
    return { dir: 'dist' }
  },
})
const upload = task('assets:upload', {
  on: 'web',
  needs: { build },
  retry: { times: 2, delay: '10s' },
  async run({ needs, remote, skip }) {
    const before = await remote.capture`readlink /srv/assets`
    if (before === '/srv/frozen') return skip('assets are frozen', { before })
    await remote.uploadDir(needs.build.dir, '/srv/new')
    await remote.symlink('/srv/new', '/srv/assets')
    return { before }
  },
  async undo({ result, remote }) {
    if (result) await remote.symlink(result.before, '/srv/assets')
  },
})
const tell = task('tell', {
  needs: { upload },
  run: ({ needs, log }) => {
    log(`assets are on ${needs.upload.map(({ host }) => host.name).join(' and ')}`)
  },
})

const needs = [fake(build, { dir: 'out' })]
const before = ['readlink /srv/assets', '/srv/old'] as const

test('upload puts the built folder beside the old one and switches', async () => {
  const { result, commands } = await testTask(upload, { fakes: needs, answers: [before] })
  expect(result).toEqual({ before: '/srv/old' })
  expect(commands.map(({ call, text }) => `${call}: ${text}`)).toEqual([
    'capture: readlink /srv/assets',
    'uploadDir: upload -r out /srv/new',
    'symlink: ln -sfn /srv/new /srv/assets',
  ])
})

test('upload leaves frozen assets alone', async () => {
  const { skipped, commands } = await testTask(upload, {
    fakes: needs,
    answers: [[/^readlink/, '/srv/frozen']],
  })
  expect(skipped).toBe('assets are frozen')
  expect(commands).toHaveLength(1)
})

test('upload goes back when something fails after it', async () => {
  const { undo } = await testTask(upload, { fakes: needs, answers: [before], undo: true })
  expect(undo?.commands.map(({ text }) => text)).toEqual(['ln -sfn /srv/old /srv/assets'])
})

test('upload tries three times, ten seconds apart', async () => {
  const clock = manualClock()
  const unreachable = [before, [/^upload/, { exitCode: 1, stderr: 'no space' }]] as const
  const tested = testTask(upload, { fakes: needs, answers: unreachable, clock })
  await clock.advance(20_000)
  const { failure, commands } = await tested
  expect(failure?.command?.tail).toEqual(['no space'])
  expect(commands.filter(({ call }) => call === 'uploadDir')).toHaveLength(3)
})

const config = defineConfig({
  stages: { production: { hosts: { web1: { roles: ['web'] }, web2: { roles: ['web'] } } } },
  tasks: [tell],
})

test('everybody is told when the assets are on all hosts', async () => {
  const { isBefore, order } = planOf(config, { stage: 'production', tasks: [tell] })
  expect(isBefore('assets:upload', 'tell')).toBe(true)
  expect(order[0]).toBe('assets:build')

  const ran = await testRun(config, { stage: 'production', tasks: [tell], fakes: needs, answers: [before] })
  expect(ran.status).toBe('done')
  expect(ran.logs).toEqual(['tell: assets are on web1 and web2'])
  expect(ran.result(upload).get('web2')).toEqual({ before: '/srv/old' })
})
