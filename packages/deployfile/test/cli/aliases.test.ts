import { describe, expect, it } from 'vitest'
import { cli, type Cli } from '../cli-harness.ts'

const config = (): Cli =>
  cli().config(`
const migrate = task('deploy:migrate', {
  desc: 'Run pending migrations',
  aliases: ['db:up'],
  input: z.object({ step: z.string().default('all') }),
  run({ input, log }) { log('step ' + input.step) },
})
export default defineConfig({
  stages: { dev: { hosts: { here: { transport: 'local', roles: ['web'] } } } },
  defaultStage: 'dev',
  tasks: [migrate],
})`)

describe('an alias on the command line', () => {
  it('runs its task', async () => {
    const { stdout } = await config().args('db:up', 'step=3', '--renderer', 'plain').run()
    expect(stdout).toContain('step 3')
    expect(stdout).toContain('deploy:migrate')
  })

  it('names an input as --alias.key too', async () => {
    const { stdout } = await config().args('db:up', '--db:up.step=4', '--renderer', 'plain').run()
    expect(stdout).toContain('step 4')
  })

  it('finds its task in a list, which shows the name', async () => {
    await config().args('-T').ends(0, 'deployfile deploy:migrate  # Run pending migrations\n')
    await config().args('-T', 'db:').ends(0, 'deployfile deploy:migrate  # Run pending migrations\n')
  })

  it('is guessed', async () => {
    await config()
      .args('dev', 'db:pu')
      .ends(
        2,
        '',
        "deployfile: there is no task 'db:pu'\n  Did you mean the task 'db:up', an alias of 'deploy:migrate'? deployfile -T lists the tasks.\n",
      )
  })
})
