import { existsSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { cli } from '../cli-harness.ts'

const CONFIG = `
const look = task('look', {
  on: 'web', effect: 'read', preview: true,
  async run({ remote }) { return { words: await remote.capture\`echo one two\` } },
})
const write = task('write', {
  on: 'web', needs: { look }, preview: true,
  async run({ needs, remote }) {
    await remote.sh\`touch \${needs.look.words}\`
    await remote.writeFile('note.txt', 'hello')
    await remote.run('rm', ['-r', 'old'], { cwd: '/srv' })
  },
})
const notify = task('notify', { needs: { write }, run: () => { throw new Error('entered') } })
const helper = task('helper', { preview: true, run: async ({ local }) => { await local.sh\`true\` } })
const asks = task('asks', {
  effect: 'destroy', preview: true,
  async run({ confirm, call }) {
    await confirm({ message: 'This empties app.', answer: 'app' })
    await call(helper)
  },
  undo: ({ log }) => log('undone'), finally: ({ log }) => log('finally'),
})
const fails = task('fails', { preview: true, run: () => { throw new Error('no good') } })
export default defineConfig({
  stages: { dev: { protected: true, hosts: { here: { transport: 'local', roles: ['web'] } } } },
  defaultStage: 'dev',
  tasks: [notify, asks, helper, fails],
})
`

test('prints what it would do with real values, asks nothing, and writes nothing', async () => {
  const { root } = await cli()
    .config(CONFIG)
    .args('notify', '-n')
    .ends(
      0,
      `dev: notify  on here
dry run: nothing is changed

00:00 look
00:00 write
      here: would: touch 'one two'
      here: would: write 5 bytes to note.txt
      here: would: cd /srv && rm -r old
00:00 notify
      skipped: would run, no preview
✔ done after 0.00s
`,
    )
  expect(existsSync(path.join(root, 'note.txt'))).toBe(false)
  expect(existsSync(path.join(root, '.deployfile'))).toBe(false)
})

test('says what it would ask, and shows what is called below its caller', async () => {
  await cli()
    .config(CONFIG)
    .args('asks', '--dry-run')
    .ends(
      0,
      `dev: asks  on this machine
dry run: nothing is changed

00:00 asks
      would ask for app: This empties app.
00:00 asks → helper
      localhost: would: true
✔ done after 0.00s
`,
    )
})

test('fails as a run would, and undoes nothing', async () => {
  await cli()
    .config(CONFIG)
    .args('fails', '-n')
    .ends(
      1,
      `dev: fails  on this machine
dry run: nothing is changed

00:00 fails
    ✘ no good
00:00 stopping: 'fails' failed
✘ failed after 0.00s
`,
      `
✘ fails failed
  no good
  at deploy.config.ts:25

Nothing was changed: it was a dry run.
`,
    )
})
