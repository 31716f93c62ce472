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
    expect(refused({ databases, from: 'production', application: 'shop', backups: '/srv/backups' })).toBe(
      'taken',
    )
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
    [{ databases: { dev: { url: 'postgresql:///a', password: 'plain' } }, from: 'dev' }, "secret.env('…')"],
    [{ databases, from: 'production', backups: '../../x' }, "'..' is not allowed"],
    [{ databases, from: 'production', backups: '~/x' }, 'below the home of a remote host already'],
  ])('refuses %j', (options, message) => {
    expect(refused(options)).toMatch(/^usage OPTION_INVALID: /)
    expect(refused(options)).toContain(message)
  })

  it('has a task for every word, under the names that other tasks need them by', () => {
    const { tasks } = postgres({ databases, from: 'production' })
    expect(Object.values(tasks).map((task) => (task as { name: string }).name)).toEqual([
      'db:backup:create',
      'db:backup:list',
      'db:backup:restore',
      'db:backup:restore_from_prod',
    ])
  })
})
