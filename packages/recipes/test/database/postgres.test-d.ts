import { secret, type Recipe } from '@deployfile/core'
import { expectTypeOf, test } from 'vitest'
import { postgres } from '../../src/database/postgres.ts'
import type { PostgresTasks } from '../../src/database/tasks.ts'

const databases = { dev: 'postgresql:///app_dev', production: 'postgresql:///app' } as const

test('a short type', () => {
  expectTypeOf(postgres({ databases, from: 'production' })).toEqualTypeOf<Recipe<PostgresTasks>>()
})

test('from is one of the databases', () => {
  // @ts-expect-error -- '"prod"' is not assignable
  postgres({ databases, from: 'prod' })
})

test('a password is a secret', () => {
  postgres({ databases: { dev: { url: 'postgresql:///a', password: secret.env('X') } }, from: 'dev' })
  // @ts-expect-error -- a string is not assignable to Secret
  postgres({ databases: { dev: { url: 'postgresql:///a', password: 'plain' } }, from: 'dev' })
})

test('a restore needs a file', () => {
  const { tasks } = postgres({ databases, from: 'production' })
  expectTypeOf<Parameters<typeof tasks.restore.with>>().toEqualTypeOf<[{ file: string }]>()
})
