import { all, optional, task } from '@deployfile/core'
import { expect, test } from 'vitest'
import { runTasks } from './run-plan.ts'

const once = task('once', { run: () => 1 })
const web = task('web', { on: 'web', run: ({ host }) => host.name })
const primary = task('primary', {
  on: { stage: 'production', role: 'db', pick: 'primary' },
  run: () => 'dump',
})
const skips = task('skips', { on: { role: 'db', pick: 'primary' }, run: ({ skip }) => skip('nothing to do') })

test('a need that runs on one host has its shell, wherever that is, and whether or not it had anything to do', async () => {
  const here = task('here', {
    needs: { primary, skips },
    run: ({ remoteOf }) =>
      [remoteOf('primary'), remoteOf('skips')].map(({ host }) => `${host.stage}/${host.name}`),
  })
  const { outcome } = await runTasks([primary, skips, here])
  expect(outcome.nodes.get('here')?.result).toEqual(['production/db1', 'production/db1'])
})

test('a need on the same host is there, too', async () => {
  const next = task('next', { on: 'web', needs: { web }, run: ({ remoteOf }) => remoteOf('web').host.name })
  const { outcome } = await runTasks([web, next])
  const results = [...outcome.nodes].flatMap(([id, { result }]) => (id.startsWith('next@') ? [result] : []))
  expect(results).toEqual(['web1', 'web2'])
})

test('a need on no host, on several, or not planned has none', async () => {
  for (const [name, need] of Object.entries({ once, each: all(web), absent: optional(primary) })) {
    const asks = task('asks', { needs: { [name]: need }, run: ({ remoteOf }) => remoteOf(name).host.name })
    const { outcome } = await runTasks([once, web, primary, asks])
    expect(outcome.failures).toMatchObject([
      {
        node: 'asks',
        problem: {
          code: 'NEED_HOST',
          message: `'asks' asks for the host of its need '${name}', which is not on one host`,
        },
      },
    ])
  }
})
