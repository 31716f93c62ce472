import { isProblem, perStage, task, type Stage } from '@deployfile/core'
import { describe, expect, it } from 'vitest'
import { deploy, directory, git, passenger } from '../../src/index.ts'
import { stageOptions } from '../../src/deploy/stage-options.ts'
import type { DeployOptions } from '../../src/deploy/options.ts'

const required = {
  application: 'shop',
  repository: 'git@git.example.com:shop.git',
  branch: 'main',
  deployTo: '/srv/shop',
}
const production: Stage = { name: 'production', protected: true }

function problemOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (isProblem(error))
      return `${error.kind} ${error.code}: ${error.message}${error.details.hint === undefined ? '' : ` | ${error.details.hint}`}`
    throw error
  }
  return 'nothing was wrong'
}

const given = (options: object): string => problemOf(() => deploy(options as DeployOptions))

describe('deploy() checks what is the same for every stage at once', () => {
  it('needs four options', () => {
    expect(given({ ...required, branch: undefined })).toBe(
      `usage OPTION_INVALID: deploy() needs the option 'branch'`,
    )
    expect(given({})).toContain(`needs the option 'application'`)
  })

  it('knows its options, and the nearest to a wrong one', () => {
    expect(given({ ...required, linkedFile: [] })).toBe(
      `usage OPTION_INVALID: deploy() has no option 'linkedFile' | Did you mean 'linkedFiles'?`,
    )
    expect(given({ ...required, zzz: 1 })).toContain('It has application, repository, branch, deployTo')
  })

  it.each([
    [{ deployTo: '/' }, 'root of the file system'],
    [{ deployTo: '' }, 'root of the file system'],
    [{ deployTo: '~/shop' }, `below the home already: write 'shop'`],
    [{ deployTo: '/srv/../etc' }, `'.' and '..' are not allowed`],
    [{ deployTo: '/srv/a\nb' }, 'control characters'],
    [{ linkedFiles: ['/etc/passwd'] }, 'not a path inside a release'],
    [{ linkedFiles: ['config/../../x'] }, `'.' or '..' part`],
    [{ linkedFiles: ['-rf'] }, 'starts with a dash'],
    [{ linkedDirs: ['a\nb'] }, 'control characters'],
    [{ deployTo: '-rf' }, 'starts with a dash'],
    [{ migrations: '-rf' }, 'starts with a dash'],
    [{ uploads: ['-rf'] }, 'starts with a dash'],
    [{ maintenance: { path: '-rf' } }, 'starts with a dash'],
    [{ repository: 'a\nb' }, 'control characters'],
    [{ linkedDirs: ['log/'] }, 'not a path inside a release'],
    [{ linkedDirs: ['log', 'public', 'log/old'] }, `'log/old' is inside another linked folder`],
    [{ keepReleases: 0 }, 'at least the live release is kept'],
    [{ keepReleases: 2.5 }, 'keepReleases'],
    [{ branch: '-x' }, 'cannot be the name of a branch'],
    [{ repository: '--upload-pack=x' }, 'starts with a dash'],
    [{ migrate: ' ' }, 'a command cannot be empty'],
    [{ migrations: '../db' }, `'.' or '..' part`],
    [{ migrations: { command: ' ' } }, 'a command cannot be empty'],
    [{ migrations: { pending: 'x' } }, 'migrations'],
    [{ restart: { name: 'x' } }, 'restart'],
    [{ on: () => true }, 'where(host => …)'],
    [{ migrateOn: { role: 'db' } }, 'migrateOn'],
    [{ rolling: { batch: 0 } }, 'rolling'],
    [{ user: '-u' }, 'expected the name of an account'],
    [{ user: 'app; reboot' }, 'expected the name of an account'],
    [{ user: '$(id)' }, 'expected the name of an account'],
    [{ group: '`id`' }, 'expected the name of an account'],
    [{ group: 'a\nb' }, 'expected the name of an account'],
    [{ env: { 'A;id': 'x' } }, 'expected the name of a variable'],
    [{ umask: '22' }, 'three octal digits'],
    [{ linkedFiles: [{ path: '../x' }] }, 'linkedFiles'],
    [{ application: 'a b' }, 'an application is one word'],
    [{ application: 'a\nb' }, 'an application is one word'],
    [{ application: 'a\u0000b' }, 'an application is one word'],
    [{ application: '../a' }, 'an application is one word'],
    [{ rolling: { batch: '25%', maxFail: 1 } }, 'rolling'],
    [{ migrate: () => task('other', { run: () => undefined }) }, `must make a task named 'deploy:migrate'`],
  ])('refuses %j', (option, message) => {
    expect(given({ ...required, ...option })).toContain(message)
  })

  it('takes a strategy, a command, tables and functions', () => {
    const options: DeployOptions[] = [
      { ...required, restart: passenger() },
      { ...required, restart: 'systemctl --user restart shop' },
      {
        ...required,
        deployTo: (stage, host) => `/srv/${stage.name}/${host?.name ?? 'all'}`,
        keepReleases: perStage({ default: 3 }),
      },
      { ...required, on: ['app', 'web'], migrateOn: { role: 'app', pick: 'primary' } },
    ]
    expect(options.map((one) => deploy(one).tasks.release.name)).toEqual(options.map(() => 'deploy:release'))
  })

  it('needs no repository where the source is none, and both where it is git', () => {
    const { application, deployTo } = required
    expect(given({ application, deployTo, source: directory({ path: 'dist' }) })).toBe('nothing was wrong')
    expect(given({ application, deployTo, source: git() })).toContain(`needs the option 'repository'`)
    expect(given({ ...required, source: 'dist' })).toContain(
      'expected git({…}), directory({…}) or archive({…})',
    )
    const perStageSource = (stage: Stage) => (stage.protected ? git() : directory({ path: 'dist' }))
    const options = { application, deployTo, source: perStageSource } as never
    expect(given(options)).toBe('nothing was wrong')
    expect(problemOf(() => stageOptions(options, production))).toContain(
      `for the stage 'production', deploy() needs the option 'repository'`,
    )
    expect(stageOptions(options, { name: 'dev', protected: false }).source.name).toBe('directory')
  })

  it.each([
    [() => git({ path: '../x' }), `the option 'path' of git() is wrong`],
    [() => git({ depth: 0 }), `the option 'depth' of git() is wrong`],
    [
      () => git({ submodule: true } as object),
      `git() has no option 'submodule' | Did you mean 'submodules'?`,
    ],
    [() => directory({ path: '' }), 'cannot be empty'],
    [() => directory({ path: 'dist', revision: 'main' }), 'is not the full hash of a commit'],
  ])('refuses what a source cannot be: %#', (make, message) => {
    expect(problemOf(make)).toContain(message)
  })

  it('knows the options of passenger()', () => {
    expect(problemOf(() => passenger({ tuoch: true } as object))).toContain(
      `has no option 'tuoch' | Did you mean 'touch'?`,
    )
  })
})

describe('the options of a stage', () => {
  it('have defaults, and no slash at the end of deployTo', () => {
    expect(stageOptions({ ...required, deployTo: '/srv//shop/' }, production)).toMatchObject({
      ...{ deployTo: '/srv/shop', linkedFiles: [], linkedDirs: [], keepReleases: 5 },
    })
  })

  it('are checked when the stage is known, with its name', () => {
    const bad: DeployOptions = { ...required, branch: perStage({ production: 'a b', default: 'b' }) }
    expect(problemOf(() => deploy(bad))).toBe('nothing was wrong')
    expect(problemOf(() => stageOptions(bad, production))).toContain(
      `usage OPTION_INVALID: for the stage 'production', the option 'branch' of deploy() is wrong: "a b" cannot be`,
    )
  })

  it('must have an entry for the stage', () => {
    const partial: DeployOptions = { ...required, branch: perStage({ staging: 'b' }) as never }
    expect(problemOf(() => stageOptions(partial, production))).toContain(`OPTION_NO_STAGE`)
  })
})
