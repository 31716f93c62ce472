import { test } from 'vitest'
import { cli } from '../cli-harness.ts'

const CONFIG = `
const step = task('step', {
  on: 'web', run: ({ log }) => log('stepped'), undo: ({ log }) => log('back'),
})
const breaks = task('breaks', { on: 'web', run: () => { throw new Error('no good') } })
const top = task('top', { async run({ call }) { await call(step); await call(breaks) } })
const hosts = { a: { transport: 'local', roles: ['web'] }, b: { transport: 'local', roles: ['web'] } }
export default defineConfig({ stages: { dev: { hosts } }, defaultStage: 'dev', tasks: [top, step, breaks] })
`

test('what is called stands below its caller, and its failure is told once for all hosts', async () => {
  await cli()
    .config(CONFIG)
    .args('top', '--concurrency', '1')
    .ends(
      1,
      `dev: top  on this machine
run <run> by jan

00:00 top
00:00 top → step
      a: stepped
      b: stepped
00:00 top → breaks
    ✘ a no good
    ✘ b no good
00:00 top
    ✘ no good
00:00 stopping: 'top' failed
00:00 top → step (undo)
      b: back
      a: back
✘ failed after 0.00s
`,
      `
✘ breaks, which top called, failed on a (same on b)
  no good
  at deploy.config.ts:6

Undone: step on a, b
  a: back
  b: back
Log: .deployfile/runs/<run>/events.jsonl
`,
    )
})
