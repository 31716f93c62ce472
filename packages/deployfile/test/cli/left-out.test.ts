import { describe, expect, it } from 'vitest'
import { cli, type Cli } from '../cli-harness.ts'

const config = (): Cli =>
  cli().config(`
const when = () => 'only in spring'
const inner = task('inner', { when, run: () => 1 })
const known = task('known', { desc: 'Known by name', when, run: () => 1 })
const whole = task('whole', { needs: { inner, known }, run: () => null })
export default defineConfig({
  stages: { dev: { hosts: { a: { transport: 'local', roles: ['app'] } } } }, defaultStage: 'dev', tasks: [whole],
})`)

// Tasks without a description are parts of others: those of a recipe's that have nothing to do would stand first on every screen.
describe('what `when` left out while planning', () => {
  it('is not shown where it has no description and was not asked for', async () => {
    const { stdout } = await config().args('whole').run()
    expect(stdout).toContain('00:00 known\n      skipped: only in spring\n00:00 whole\n')
    expect(stdout).not.toContain('inner')
    const dry = await config().args('whole', '-n').run()
    expect(dry.stdout).toContain('known')
    expect(dry.stdout).not.toContain('inner')
  })

  it('is shown by --plan and --verbose, or when it was asked for', async () => {
    for (const args of [['whole', '--plan'], ['whole', '-v'], ['inner']]) {
      const { stdout } = await config()
        .args(...args)
        .run()
      expect(stdout, args.join(' ')).toContain('skipped: only in spring')
      expect(stdout, args.join(' ')).toContain('inner')
    }
  })

  it('is an event all the same', async () => {
    const { stdout } = await config().args('whole', '--json').run()
    expect(stdout).toContain('"node":"inner","phase":"run","status":"skipped"')
  })
})
