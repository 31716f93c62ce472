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
  it('prints a line a task, with the wave in which each host runs it, what it waits for and why; asks, connects and runs nothing', async () => {
    await config()
      .args('production', 'publish', '--plan')
      .ends(
        0,
        `production: publish  8 steps on 2 hosts in 5 waves; nothing was run

task     (here)  web1  web2  waits for               because
build    1       ·     ·                             release needs it
release  ·       2     2     build                   migrate needs it, and 1 more reason
migrate  ·       ·     3     release on all 2 hosts  publish needs it
warm     ·       4     4     migrate                 before publish
publish  ·       5     5     warm                    asked for

A number is the wave in which it runs there: what has the same may run at the same time.
`,
      )
  })

  it('runs several tasks left to right, and says what is skipped', async () => {
    const { stdout } = await config().args('cleanup', 'warm', '--plan').run()
    expect(stdout).toBe(`dev: cleanup warm  2 steps on 1 host in 1 wave; nothing was run

task     here  waits for                       because
cleanup  -     skipped: only where it matters  asked for
warm     1     cleanup                         asked for

A number is the wave in which it runs there: what has the same may run at the same time.
`)
  })

  it('on a screen that is too narrow for the table tells below each task what it waits for, and why', async () => {
    const narrow = config().terminal(60).env({ NO_COLOR: '1' }).args('production', 'publish', '--plan')
    expect((await narrow.run()).stdout).toBe(`production: publish
  8 steps on 2 hosts in 5 waves; nothing was run

task     (here)  web1  web2
build    1       ·     ·
    release needs it
release  ·       2     2
    waits for build; migrate needs it, and 1 more reason
migrate  ·       ·     3
    waits for release on all 2 hosts; publish needs it
warm     ·       4     4
    waits for migrate; runs before publish
publish  ·       5     5
    waits for warm; asked for

A number is the wave in which it runs there: what has the
same may run at the same time.
`)
  })

  it('on one that is too narrow for its hosts says how many there are', async () => {
    const hosts = ['a', 'b', 'c', 'd'].map((name) => `'${name}.shop.example.com': { roles: ['web'] }`)
    const wide = cli().config(`
const build = task('build', { run: () => 1 })
const warm = task('warm', { on: 'web', when: () => 'later', run: () => 1 })
const release = task('release', { on: 'web', needs: { build, warm }, run: () => 1 })
export default defineConfig({ stages: { dev: { hosts: { ${hosts.join(', ')} } } }, defaultStage: 'dev', tasks: [release] })`)
    const { stdout } = await wide.terminal().env({ NO_COLOR: '1' }).args('release', '--plan').run()
    expect(stdout).toBe(`dev: release  9 steps on 4 hosts in 2 waves; nothing was run

task     where    wave  waits for       because
build    (here)   1                     release needs it
warm     4 hosts  -     skipped: later  release needs it
release  4 hosts  2     build, warm     asked for

A number is the wave in which it runs there: what has the same may run at the
same time.
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

describe('--graph', () => {
  it('is Mermaid, with an arrow for each reason to wait', async () => {
    await config()
      .args('production', 'publish', '--graph', 'mermaid')
      .ends(
        0,
        `flowchart TD
  n1["build"]
  n2["release<br/>web1, web2"]
  n3["migrate<br/>web2"]
  n4["warm<br/>web1, web2"]
  n5["publish<br/>web1, web2"]
  n1 --> n2
  n2 --> n3
  n2 --> n5
  n3 --> n5
  n4 -->|"before publish"| n5
`,
      )
  })

  it('is Graphviz', async () => {
    const { stdout } = await config().args('build', '--graph', 'dot').run()
    expect(stdout).toBe('digraph "dev" {\n  node [shape=box]\n  "build" [label="build"]\n}\n')
  })

  it('is data', async () => {
    const { stdout } = await config().args('production', 'publish', '--graph=json').run()
    expect(JSON.parse(stdout)).toMatchObject({
      stage: 'production',
      nodes: expect.arrayContaining([{ id: 'migrate', task: 'migrate', hosts: ['web2'] }]) as unknown,
      edges: expect.arrayContaining([{ from: 'migrate', to: 'publish', reason: 'need' }]) as unknown,
    })
  })
})
