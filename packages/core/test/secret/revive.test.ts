import { isSecret, reviveSecrets, secret } from '@deployfile/core'
import { expect, test } from 'vitest'
import { problemOf } from '../problem-of.ts'

test('what was a secret is one again, and all else is as it was', () => {
  const password = secret.file('config/password')
  const value = { db: { url: 'postgresql:///app', password, list: [1, null, true, password] }, $secret: 1 }
  const back = reviveSecrets(JSON.parse(JSON.stringify(value))) as typeof value
  expect(back).toEqual(value)
  expect(back.db.password).toBe(password)
  expect(back.db.list[3]).toBe(password)
  expect(reviveSecrets('text')).toBe('text')
})

test('a variable of the environment is known by its name alone', () => {
  expect(isSecret(reviveSecrets({ $secret: 'env NEVER_DECLARED_HERE' }))).toBe(true)
})

test('a command or a file that the config does not name is refused, whatever the journal says', () => {
  for (const name of ['command rm -rf /', 'file /etc/shadow', 'prompt x']) {
    expect(problemOf(() => reviveSecrets({ a: [{ $secret: name }] }))).toMatchObject({
      code: 'SECRET_UNKNOWN',
      kind: 'check',
      message: `'a[0]' was the secret '${name}', which the config does not have any more`,
    })
  }
})
