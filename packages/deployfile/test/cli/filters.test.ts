import { describe, expect, it } from 'vitest'
import { cli, type Cli } from '../cli-harness.ts'

const config = (): Cli =>
  cli().config(`
const build = task('build', { run: () => 1 })
const release = task('release', { on: 'app', needs: { build }, run: ({ host, log }) => log(host.name) })
const migrate = task('migrate', { on: { role: 'db', pick: 'primary' }, run: ({ host, log }) => log(host.name) })
const deploy = group('deploy', { release, migrate })
export default defineConfig({
  stages: {
    dev: {
      hosts: {
        one: { transport: 'local', root: '.', roles: ['app'] },
        two: { transport: 'local', root: '.', roles: ['app', 'db'] },
        three: { transport: 'local', root: '.', roles: ['app'] },
      },
    },
  },
  defaultStage: 'dev',
  tasks: [deploy],
})`)

describe('--hosts, --roles and --skip', () => {
  it.each([
    ['-z', 'one,three'],
    ['--hosts=one', '--hosts', 'three'],
    ['-z', 'one', '-z', 'three'],
  ])('leave hosts out (%s %s)', async (...filter) => {
    await config()
      .args('deploy', '--skip', 'migrate', ...filter, '--plan')
      .ends(
        0,
        `dev: deploy  4 steps on 2 hosts in 2 waves; nothing was run

task     (here)  one  three  waits for               because
build    1       ·    ·                              release needs it
release  ·       2    2      build                   deploy needs it
deploy   2       ·    ·      release on all 2 hosts  asked for

A number is the wave in which it runs there: what has the same may run at the same time.
note: --hosts one,three leaves out two of 'dev'
note: --skip migrate leaves out 'migrate', its hooks, and what nothing else needs
`,
      )
  })

  it('run what is left, and say what is not', async () => {
    const { code, stdout } = await config().args('deploy', '--roles', 'db').run()
    expect(code).toBe(0)
    expect(stdout).toContain("--roles db leaves out one and three of 'dev'")
    expect(stdout).toContain('release')
    expect(stdout).not.toMatch(/release .*(one|three)/)
  })

  it('end with 2 before anything is connected when a needed task has nowhere to run', async () => {
    const { code, stderr, stdout } = await config().args('deploy', '-z', 'one').run()
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain("deployfile: 'migrate' has nowhere to run: --hosts one leaves out two\n")
    expect(stderr).toContain('Let it in, or leave the task out: --skip migrate.')
  })

  it.each([
    [['-z', 'oen'], "the stage 'dev' has no host 'oen'", "Did you mean 'one'?"],
    [['-r', 'cache'], "no host of the stage 'dev' has the role 'cache'", 'Its roles are: app, db.'],
    [['--skip', 'biuld'], "there is no task 'biuld' that could be skipped", "Did you mean 'build'?"],
    [['-z', ','], "--hosts leaves no host of the stage 'dev'", 'Name at least one, or leave the filter out.'],
  ])('%s: names that match nothing', async (filter, message, hint) => {
    await config()
      .args('deploy', ...filter)
      .ends(2, '', `deployfile: ${message}\n  ${hint}\n`)
  })

  it('are not given beside --resume: a run is resumed as it was', async () => {
    const { code, stderr } = await config().args('--resume', '-z', 'one', '--skip', 'build').run()
    expect(code).toBe(2)
    expect(stderr).toContain('--resume stands alone, and not beside --hosts one --skip build')
  })
})
