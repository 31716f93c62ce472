import { secret } from '@deployfile/core'
import { describe, expect, it } from 'vitest'
import { postgres } from '../../src/database/postgres.ts'

const databases = {
  dev: 'postgresql:///app_dev',
  production: { url: 'postgresql://app@/app', password: secret.env('X') },
}

/** The message and hint of what is refused; a plain JavaScript config may hold anything. */
function refused(options: unknown): string {
  try {
    postgres(options as Parameters<typeof postgres>[0])
  } catch (error) {
    const { kind, code, message, details } = error as {
      kind: string
      code: string
      message: string
      details: { hint?: string }
    }
    return `${kind} ${code}: ${message} ${details.hint ?? ''}`
  }
  return 'taken'
}

describe('postgres()', () => {
  it('takes URLs and URLs with a password', () => {
    expect(refused({ databases, from: 'production' })).toBe('taken')
    const through = { ...databases, staging: { url: 'postgresql://app@db/app', via: 'tunnel' } }
    expect(refused({ databases: through, from: 'production' })).toBe('taken')
    expect(refused({ databases, from: 'production', application: 'shop', backups: '/srv/backups' })).toBe(
      'taken',
    )
    const dump = {
      compress: 'zstd:3',
      excludeTables: ['audit.*'],
      excludeTableData: ['sessions'],
      schemaOnly: false,
    }
    const restore = {
      keepOld: 2,
      jobs: 2,
      anonymize: ["UPDATE users SET mail = ''", { file: 'db/mask.sql' }],
      postRestore: 'SELECT 1',
    }
    const rest = { keep: { last: 10, days: 30 }, store: 'rclone copy "$FILE" away:', recover: ['production'] }
    expect(refused({ databases, from: 'production', dump, restore, ...rest })).toBe('taken')
    expect(refused({ databases, from: 'production', restore: () => restore })).toBe('taken')
  })

  it.each([
    [{ databases }, "postgres() needs the option 'from'"],
    [{ from: 'production' }, "postgres() needs the option 'databases'"],
    [
      { databases, from: 'prod' },
      "names the stage 'prod', which has no database There are databases for dev, production.",
    ],
    [{ databases, form: 'x', from: 'production' }, "has no option 'form' Did you mean 'from'?"],
    [
      { databases: { dev: 'app_dev' }, from: 'dev' },
      "the option 'databases.dev' of postgres() is wrong: the URL",
    ],
    [{ databases: { dev: { uri: 'x' } }, from: 'dev' }, 'databases.dev'],
    [{ databases, from: 'production', restore: { stream: 'yes' } }, 'restore.stream'],
    [
      { databases: { dev: { url: 'postgresql:///x', via: 'ssh' } }, from: 'dev' },
      "it is 'tunnel', or left out",
    ],
    [{ databases: { dev: { url: 'postgresql:///a', password: 'plain' } }, from: 'dev' }, "secret.env('…')"],
    [{ databases, from: 'production', backups: '../../x' }, "'..' is not allowed"],
    [{ databases, from: 'production', backups: '~/x' }, 'below the home of a remote host already'],
    [{ databases, from: 'production', dump: { compress: 0 } }, 'a flipped bit would be restored as data'],
    [{ databases, from: 'production', dump: { compress: 'rar' } }, "the option 'dump.compress'"],
    [{ databases, from: 'production', dump: { exclude: [] } }, "the option 'dump'"],
    [{ databases, from: 'production', restore: { strategy: 'hope' } }, "the option 'restore.strategy'"],
    [{ databases, from: 'production', restore: { keepOld: -1 } }, "the option 'restore.keepOld'"],
    [{ databases, from: 'production', restore: { jobs: 0 } }, "the option 'restore.jobs'"],
    [{ databases, from: 'production', keep: { minimum: 3 } }, "it needs 'last' or 'days'"],
    [{ databases, from: 'production', keep: { last: 0 } }, 'it keeps at least 1'],
    [{ databases, from: 'production', store: ' ' }, 'it is a command, or a function'],
    [{ databases, from: 'production', recover: ['eu'] }, "names the stage 'eu', which has no database"],
  ])('refuses %j', (options, message) => {
    expect(refused(options)).toMatch(/^usage OPTION_INVALID: /)
    expect(refused(options)).toContain(message)
  })

  it('has a task for every word, under the names that other tasks need them by', () => {
    const { tasks } = postgres({ databases, from: 'production' })
    const names = Object.values(tasks).map((task) => (task as { name: string }).name)
    expect(names.filter((name) => !name.startsWith('db:backup:identity:'))).toEqual([
      'db:backup:create',
      'db:backup:list',
      'db:backup:verify',
      'db:backup:download',
      'db:backup:restore',
      'db:backup:restore_from_prod',
      'db:backup:prune',
      'db:console',
    ])
  })
})
