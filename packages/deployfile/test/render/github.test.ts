import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { cli } from '../cli-harness.ts'

const CONFIG = `
const build = task('build', { run: async ({ local, log }) => { await local.sh\`printf '::set-env name=A::b\\n'\`; log('##[command]x') } })
export default defineConfig({
  stages: { dev: { hosts: { web1: { transport: 'local', root: '.', roles: ['web'] } } } },
  defaultStage: 'dev',
  tasks: [build, task('ship_it', { on: 'web', needs: { build }, run: async ({ remote }) => { await remote.sh\`echo 100% >&2; exit 3\` } })],
})`

function summaryFile(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'deployfile-summary-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return path.join(folder, 'summary.md')
}

describe('in GitHub Actions', () => {
  it('tasks are groups, failures annotations, and what programs print is no command', async () => {
    const summary = summaryFile()
    const { stdout, code } = await cli()
      .config(CONFIG)
      .env({ GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: summary })
      .args('ship_it')
      .run()
    expect(code).toBe(1)
    expect(stdout).toBe(`dev: ship_it  on web1
run <run> by jan

::group::build
      01 printf '::set-env name=A::b\\n'
      01 ::set-env name=A::b
    ✔ 01 localhost 0.00s
      ·##[command]x
::endgroup::
::group::ship_it
      01 echo 100% >&2; exit 3
      01 100%
    ✘ 01 web1 exit 3 0.00s
::error title=ship_it on web1::web1: echo 100%25 >&2; exit 3 failed with exit code 3: 100%25
00:00 stopping: 'ship_it@dev/web1' failed
::endgroup::
✘ failed after 0.00s
`)
    expect(readFileSync(summary, 'utf8').replace(/\d+\.\d\ds/g, '0.00s'))
      .toContain(`| task | hosts | ended | time |
| --- | --- | --- | --- |
| build |  | done | 0.00s |
| ship\\_it | web1 | failed | 0.00s |
`)
  })

  it('another renderer may be asked for', async () => {
    const { stdout } = await cli()
      .config(CONFIG)
      .env({ GITHUB_ACTIONS: 'true' })
      .args('build', '--renderer', 'plain')
      .run()
    expect(stdout).not.toContain('::group::')
  })
})
