import { expect, it } from 'vitest'
import { cli } from '../cli-harness.ts'

it(
  'a log that can no longer be written stops the run, is said last with what to do, and everything is undone',
  { timeout: 60_000 },
  async () => {
    const running = cli()
      .file('a/x', '')
      .config(
        `
const build = task('build', { run: () => 1, undo({ log }) { log('built no more') } })
const chatty = task('chatty', { needs: { build }, async run({ local }) { await local.sh\`head -c 200000 /dev/zero | tr '\\\\0' x | fold -w 500\` } })
const last = task('last', { needs: { chatty }, run: () => 1 })
export default defineConfig({ stages: { dev: { hosts: {} } }, defaultStage: 'dev', tasks: [last] })`,
      )
      .args('last', '-q')
      // 64 KB to a file, and no signal for more.
      .spawn({ before: "trap '' 25; ulimit -f 128" })
    const { code, stderr } = await running.ended()
    expect(stderr).toBe(`
✘ the log of the run failed
  the log of the run can no longer be written: EFBIG: file too large, write
  Nothing more was started. Make room or mend the rights of .deployfile/runs, then run again.

Undone: build
  built no more
Not run: last
Log: .deployfile/runs/<run>/events.jsonl
`)
    expect(code).toBe(1)
  },
)
