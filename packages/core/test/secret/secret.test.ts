import { inspect } from 'node:util'
import { isProblem, openSecret, provideSecretReader, redact, reveal, secret, task } from '@deployfile/core'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { problemOf } from '../problem-of.ts'
import { runTasks } from '../run/run-plan.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

test('prints as *** everywhere and by its name in data', () => {
  vi.stubEnv('DB_PASSWORD', 'hunter2-very')
  const password = secret.env('DB_PASSWORD')
  expect(String(password)).toBe('***')
  expect(inspect({ password })).toBe('{ password: Secret(env DB_PASSWORD) }')
  expect(JSON.stringify({ password })).toBe('{"password":{"$secret":"env DB_PASSWORD"}}')
})

test('what was revealed is hidden from then on, in every form in which it travels', () => {
  vi.stubEnv('TOKEN', "s3cret/it's+long")
  const value = reveal(secret.env('TOKEN'))
  expect(value).toBe("s3cret/it's+long")
  const forms = [
    value,
    encodeURIComponent(value),
    Buffer.from(value).toString('base64'),
    `'s3cret/it'\\''s+long'`,
  ]
  for (const form of forms) expect(redact(`before ${form} after`)).not.toContain('s3cret')
  expect(redact(`before ${value} after`)).toBe('before *** after')
})

test('a variable that is not set is a check problem that says what to type', () => {
  vi.stubEnv('UNSET_ONE', undefined)
  try {
    reveal(secret.env('UNSET_ONE'))
    expect.unreachable()
  } catch (thrown) {
    expect(isProblem(thrown) && [thrown.kind, thrown.message, thrown.details.hint]).toEqual([
      'check',
      'the environment variable UNSET_ONE is not set',
      'Set it for this command: UNSET_ONE=… npx deployfile …',
    ])
  }
})

test('a result that contains a revealed value fails its node', async () => {
  vi.stubEnv('LEAK', 'do-not-journal-me')
  const leak = task('leak', { run: () => ({ url: `postgres://app:${reveal(secret.env('LEAK'))}@db` }) })
  const { outcome, events } = await runTasks([leak])
  expect(outcome.failures[0]?.problem.message).toBe("the result of 'leak' contains a secret")
  expect(JSON.stringify(events)).not.toContain('do-not-journal-me')
})

test('what a body says or throws reaches the journal without it', async () => {
  vi.stubEnv('SAID', 'not-for-the-journal')
  const value = (): string => reveal(secret.env('SAID'))
  const said = task('said', { run: ({ log }) => log(`logging in with ${value()}`) })
  const threw = task('threw', {
    needs: { said },
    run: () => {
      throw new Error(`cannot log in with ${value()}`)
    },
  })
  const { outcome, events } = await runTasks([threw])
  expect(events).toContainEqual(expect.objectContaining({ type: 'node.log', message: 'logging in with ***' }))
  expect(outcome.failures[0]?.problem.message).toBe('cannot log in with ***')
  expect(JSON.stringify([events, outcome.failures])).not.toContain('not-for-the-journal')
})

describe('what core cannot read itself', () => {
  const asked: string[] = []
  const give = (text: string): void =>
    provideSecretReader({
      file: (path) => (asked.push(`file ${path}`), text),
      command: (command) => (asked.push(`command ${JSON.stringify(command)}`), text),
      prompt: (label, variable) => (asked.push(`prompt ${label} ${variable}`), text),
    })
  afterEach(() => void asked.splice(0))

  test('is read by the reader that was provided, once a process', () => {
    give('from-the-vault\n')
    expect(reveal(secret.file('~/.pw'))).toBe('from-the-vault')
    expect(reveal(secret.command(['op', 'read', 'x y']))).toBe('from-the-vault')
    expect(reveal(secret.prompt('sudo password (web1)'))).toBe('from-the-vault')
    give('something else')
    expect(reveal(secret.prompt('sudo password (web1)'))).toBe('from-the-vault')
    expect(asked).toEqual([
      'file ~/.pw',
      'command ["op","read","x y"]',
      'prompt sudo password (web1) SECRET_SUDO_PASSWORD_WEB1_',
    ])
    expect(JSON.stringify(secret.file('~/.pw'))).toBe('{"$secret":"file ~/.pw"}')
  })

  test('one line loses its line break, several lines keep theirs', () => {
    give('one line \r\n')
    expect(reveal(secret.file('one'))).toBe('one line ')
    give('-----BEGIN KEY-----\nabcdefgh\n')
    expect(reveal(secret.file('two'))).toBe('-----BEGIN KEY-----\nabcdefgh\n')
  })

  test('nothing is not a secret', () => {
    give('\n')
    expect(problemOf(() => reveal(secret.command('true')))).toMatchObject({
      code: 'SECRET_MISSING',
      kind: 'check',
      message: 'the secret command true is empty',
    })
  })

  test('a prompt is answered by the environment where that is set', () => {
    give('typed-by-hand')
    vi.stubEnv('SECRET_DATABASE_PASSWORD', 'set-in-the-job')
    expect(reveal(secret.prompt('database password'))).toBe('set-in-the-job')
    expect(asked).toEqual([])
  })

  test('those who can wait are asked by the program’s own way, once for all of them', async () => {
    give('typed at the terminal')
    const questions: string[] = []
    let answer: (text: string | undefined) => void = () => undefined
    provideSecretReader(
      { file: () => '', command: () => '', prompt: () => 'typed at the terminal' },
      ({ message }) => {
        questions.push(message)
        return new Promise((resolve) => (answer = resolve))
      },
    )
    const both = [openSecret(secret.prompt('vault key')), openSecret(secret.prompt('vault key'))]
    answer('typed-once')
    expect(await Promise.all(both)).toEqual(['typed-once', 'typed-once'])
    expect(reveal(secret.prompt('vault key'))).toBe('typed-once')
    expect(questions).toEqual(['vault key'])

    const refused = openSecret(secret.prompt('other key'))
    answer(undefined)
    await expect(refused).rejects.toMatchObject({
      code: 'SECRET_MISSING',
      message: 'nobody gave the other key',
      details: { hint: 'Set SECRET_OTHER_KEY where nobody can be asked.' },
    })
    vi.stubEnv('FOR_OPEN', 'from-the-environment')
    expect(await openSecret(secret.env('FOR_OPEN'))).toBe('from-the-environment')
  })

  test('an object that only looks like a secret is refused', () => {
    const forged = { ...secret.env('X') }
    expect(problemOf(() => reveal(forged)).code).toBe('SECRET_FOREIGN')
  })
})
