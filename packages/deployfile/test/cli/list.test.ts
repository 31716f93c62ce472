import { describe, expect, it } from 'vitest'
import { cli } from '../cli-harness.ts'

const TASKS = `
const build = task('assets:build', { desc: 'Build the front end. With vite, into dist.', run: () => 1 })
const quiet = task('internal', { run: () => 1 })
export default defineConfig({
  stages: {
    dev: { hosts: { localhost: { transport: 'local', roles: ['web'] } } },
    production: { protected: true, hosts: { web1: { roles: ['web'] } } },
  },
  defaultStage: 'dev',
  tasks: [quiet, build, task('warm', { desc: 'Warm the cache', aliases: ['heat'], effect: 'read', run: () => 1 })],
})`

describe('deployfile -T', () => {
  it('lists described tasks by name, with their first sentence', async () => {
    await cli()
      .config(TASKS)
      .args('-T')
      .ends(0, 'deployfile assets:build  # Build the front end\ndeployfile warm          # Warm the cache\n')
  })

  it('takes a pattern, and a stage before it', async () => {
    await cli()
      .config(TASKS)
      .args('production', '-T', 'assets')
      .ends(0, 'deployfile assets:build  # Build the front end\n')
  })

  it('says when the pattern matches nothing, with the nearest name', async () => {
    await cli()
      .config(TASKS)
      .args('-T', 'wram')
      .ends(2, '', "deployfile: no task's name contains 'wram'\n  Did you mean 'warm'?\n")
  })

  it('lists all with -A', async () => {
    await cli()
      .config(TASKS)
      .args('-A')
      .ends(
        0,
        'deployfile assets:build  # Build the front end\ndeployfile internal\ndeployfile warm          # Warm the cache\n',
      )
  })

  it('lists places with -W', async () => {
    await cli()
      .config(TASKS)
      .args('-W', '-T', 'assets')
      .ends(0, 'deployfile assets:build  deploy.config.ts:3\n')
  })

  it('cuts descriptions to the width of a terminal', async () => {
    const long = TASKS.replace('Warm the cache', `Warm ${'the cache '.repeat(12)}`)
    const { stdout } = await cli().config(long).args('-T', 'warm').env({ NO_COLOR: '1' }).terminal().run()
    expect(stdout).toBe('deployfile warm  # Warm the cache the cache the cache the cache the cache the c…\n')
    expect(stdout.trimEnd()).toHaveLength(80)
  })

  it('is JSON with --json', async () => {
    const { stdout } = await cli().config(TASKS).args('-T', 'warm', '--json').run()
    expect(JSON.parse(stdout)).toMatchObject([
      { name: 'warm', desc: 'Warm the cache', aliases: ['heat'], effect: 'read', location: { line: 11 } },
    ])
  })

  it.each([
    [['-A'], ['assets:build', 'internal', 'warm']],
    [['-W'], ['assets:build', 'internal', 'warm']],
    [['-W', 'assets'], ['assets:build']],
    [['-P'], ['assets:build', 'warm']],
    [
      ['-D', '-A'],
      ['assets:build', 'internal', 'warm'],
    ],
  ])('is JSON with %j, too', async (args, names) => {
    const { stdout, code } = await cli()
      .config(TASKS)
      .args(...args, '--json')
      .run()
    expect({ code, names: (JSON.parse(stdout) as { name: string }[]).map(({ name }) => name) }).toEqual({
      code: 0,
      names,
    })
  })

  it('works from a folder below, and stops at the repository', async () => {
    await cli()
      .config(TASKS)
      .file('app/models/x', '')
      .args('--cwd', 'app/models', '-T', 'warm')
      .ends(0, 'deployfile warm  # Warm the cache\n')
  })
})
