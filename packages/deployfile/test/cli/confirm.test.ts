import { existsSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { cli, type Cli } from '../cli-harness.ts'

const config = (): Cli =>
  cli().config(`
const release = task('release', { on: 'web', run: () => 1 })
const status = task('status', { on: 'web', effect: 'read', run: () => 1 })
const drop = task('db:drop', { on: 'web', effect: 'destroy', run: () => 1 })
const restore = task('db:restore', {
  effect: 'destroy',
  async run({ confirm }) { await confirm({ message: 'app_dev on localhost will be replaced.', answer: 'app_dev' }) },
})
const back = task('back', {
  effect: 'read',
  async run({ confirm, run }) {
    await confirm({ message: 'The older code lacks a migration.', answer: 'dev', mayBeYes: true })
    return run.lockWait ?? 0
  },
})
const elsewhere = task('elsewhere', { on: { stage: 'production', role: 'web' }, run: () => 1 })
export default defineConfig({
  stages: {
    dev: { hosts: { here: { transport: 'local', roles: ['web'] } } },
    production: { protected: true, hosts: { web1: { transport: 'local', roles: ['web'] }, web2: { transport: 'local', roles: ['web'] } } },
  },
  defaultStage: 'dev',
  tasks: [release, status, drop, restore, back, elsewhere],
})`)

const refused = (said: string, block: string, hint: string): string =>
  `deployfile: not confirmed: ${said}\n${block}  ${hint}\n`
const RELEASE = 'production is protected. This changes it:\n  release on web1, web2\n'
const NOBODY = 'this needs an answer, and there is no terminal to ask on'

describe('a protected stage', () => {
  it('is not changed unasked: exit 3, saying what to add, and no run is started', async () => {
    const { root } = await config()
      .args('production', 'release')
      .ends(3, '', refused(NOBODY, RELEASE, 'To go on, add --yes'))
    expect(existsSync(path.join(root, '.deployfile'))).toBe(false)
  })

  it.each([[['--yes']], [['-y']], [['confirm=production']], [['--confirm', 'production']]])(
    'is changed with %j',
    async (more) => {
      await config()
        .args('production', 'release', '-q', ...more)
        .ends(0, '')
    },
  )

  it('is changed when its name is typed, and not for any other word', async () => {
    await config().args('production', 'release', '-q').answers('production').ends(0, '')
    await config()
      .args('production', 'release', '-q')
      .answers('yes')
      .ends(3, '', refused(`'yes' is not 'production'`, '', 'To go on, type production, or add --yes'))
  })

  it('is not changed for a wrong confirm=', async () => {
    await config()
      .args('production', 'release', 'confirm=prod')
      .ends(3, '', refused('confirm=prod is not the answer', RELEASE, 'To go on, write --yes instead.'))
  })

  it('is read without a question', async () => {
    await config().args('production', 'status', '-q').ends(0, '')
  })

  it('is not destroyed by --yes', async () => {
    const block = 'production is protected. This changes it:\n  db:drop on web1, web2 (destroys)\n'
    await config()
      .args('production', 'db:drop', '--yes')
      .ends(3, '', refused(NOBODY, block, 'To go on, add confirm=production'))
    await config().args('production', 'db:drop', '-q', 'confirm=production').ends(0, '')
  })

  it('is known by the stage of the node, not of the run', async () => {
    const { stderr, code } = await config().args('dev', 'elsewhere').run()
    expect(stderr).toContain('production is protected. This changes it:\n  elsewhere on web1, web2\n')
    expect(code).toBe(3)
  })
})

describe('a task that asks', () => {
  it('is the only one to ask on a stage that is not protected', async () => {
    await config().args('db:restore', '-q').answers('app_dev').ends(0, '')
    await config().args('db:restore', '-q', 'confirm=app_dev').ends(0, '')
  })

  it('is not answered by --yes: exit 3, because nothing was changed', async () => {
    await config()
      .args('db:restore', '-q', '--yes')
      .ends(
        3,
        '',
        `
✘ db:restore failed
  not confirmed: ${NOBODY}
  app_dev on localhost will be replaced.
  To go on, add confirm=app_dev

Nothing had to be undone.
Log: .deployfile/runs/<run>/events.jsonl
`,
      )
  })
})

describe('a question of which nothing is lost', () => {
  it.each([[['--yes']], [['confirm=dev']]])('is answered by %j, too', async (more) => {
    await config()
      .args('back', '-q', ...more)
      .ends(0, '')
  })

  it('says so where there is no terminal', async () => {
    const { stderr } = await config().args('back', '-q').run()
    expect(stderr).toContain('The older code lacks a migration.')
    expect(stderr).toContain('To go on, add --yes')
  })
})

it('--lock-wait is told to the bodies, in milliseconds', async () => {
  const { stdout } = await config().args('back', '--yes', '--lock-wait', '2m', '--json').run()
  expect(stdout).toContain('"result":120000')
})
