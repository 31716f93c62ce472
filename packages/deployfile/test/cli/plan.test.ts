import { describe, expect, it } from 'vitest'
import { cli, type Cli } from '../cli-harness.ts'

const config = (): Cli =>
  cli().config(`
const build = task('build', { run: () => 1 })
const release = task('release', { on: 'web', needs: { build }, run: () => 1 })
const migrate = task('migrate', { on: { role: 'db', pick: 'primary' }, needs: { release: all(release) }, run: () => 1 })
const cleanup = task('cleanup', { on: 'web', when: ({ stage }) => stage.protected || 'only where it matters', run: () => 1 })
const warm = task('warm', { on: 'web', run: () => 1 })
const publish = task('publish', { on: 'web', needs: { release, migrate, cleanup: optional(cleanup) }, run: () => 1 })
export default defineConfig({
  stages: {
    dev: { hosts: { here: { transport: 'local', roles: ['web', 'db'] } } },
    production: { protected: true, hosts: { web1: { roles: ['web'] }, web2: { roles: ['web', 'db'] } } },
  },
  defaultStage: 'dev',
  tasks: [publish, cleanup, warm],
  before: { publish: [warm] },
})`)

describe('--plan', () => {
  it('prints a line a task and host with what it waits for; asks, connects and runs nothing', async () => {
    await config()
      .args('production', 'publish', '--plan')
      .ends(
        0,
        `production: publish  8 steps on 2 hosts; nothing was run
1 build
2 release  web1  after build
3 release  web2  after build
4 migrate  web2  after release on all 2 hosts
5 warm     web1  after migrate on web2
6 warm     web2  after migrate
7 publish  web1  after warm
8 publish  web2  after warm
`,
      )
  })

  it('runs several tasks left to right, and says what is skipped', async () => {
    const { stdout } = await config().args('cleanup', 'warm', '--plan').run()
    expect(stdout).toBe(`dev: cleanup warm  2 steps on 1 host; nothing was run
1 cleanup  here  skipped: only where it matters
2 warm     here  after cleanup
`)
  })

  it('is the plan itself with --json', async () => {
    const { stdout } = await config().args('publish', '--plan', '--json').run()
    expect(JSON.parse(stdout)).toMatchObject({
      stage: 'dev',
      requested: ['publish'],
      nodes: expect.any(Array) as unknown,
      edges: expect.any(Array) as unknown,
    })
  })
})
