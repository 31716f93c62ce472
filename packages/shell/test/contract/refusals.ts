import { secret } from '@deployfile/core'
import { expect, test } from 'vitest'
import { type Open, problemOf } from './opened.ts'

/** What every door refuses before it does anything, the recorder too: a test must not pass with what a host would never be given. */
export function refusals(open: Open): void {
  test('what no program can be given is refused before anything runs', async () => {
    const { shell, events } = open()
    const half = 'a\ud800b'
    const refused: readonly (() => Promise<unknown>)[] = [
      () => shell.sh`echo ${'a\0b'}`,
      () => shell.run('echo', ['a\0b']),
      () => shell.run('ec\0ho'),
      () => shell.script('echo', ['a\0b']),
      () => shell.script('echo a\0b'),
      () => shell.sh`echo ${half}`,
      () => shell.run('echo', [half]),
    ]
    for (const call of refused)
      expect(await problemOf(Promise.resolve().then(call))).toMatchObject({
        code: 'VALUE_UNQUOTABLE',
        kind: 'usage',
      })
    for (const options of [{ cwd: 'a\0b' }, { env: { A: 'a\0b' } }]) {
      const problem = await problemOf(Promise.resolve().then(() => shell.with(options).sh`true`))
      expect(problem.code).toBe('VALUE_UNQUOTABLE')
    }
    expect(events).toEqual([])
  })

  test('a secret is no part of a command, and the message says what to do instead', async () => {
    const { shell, events } = open()
    const password = secret.env('NEVER_READ')
    const problem = await problemOf(shell.sh`psql -c ${password as unknown as string}`)
    expect(problem).toMatchObject({ code: 'SECRET_IN_COMMAND', kind: 'usage' })
    expect(problem.message).toBe(
      "the command `psql -c…` has the secret 'env NEVER_READ' in its text, where every user of the machine could read it",
    )
    expect(problem.details.hint).toContain('.with({ secrets: { PGPASSWORD: … } })')
    for (const call of [
      () => shell.run('psql', [password as unknown as string]),
      () => shell.script('psql', [password as unknown as string]),
      () => shell.with({ env: { PGPASSWORD: password as unknown as string } }).sh`psql`,
    ])
      expect((await problemOf(Promise.resolve().then(call))).code).toBe('SECRET_IN_COMMAND')
    expect(events).toEqual([])
  })

  test('a path that no file can have is refused before anything runs, on either side', async () => {
    const { shell, events } = open()
    const calls = (bad: string): readonly (() => Promise<unknown>)[] => [
      () => shell.readFile(bad),
      () => shell.writeFile(bad, ''),
      () => shell.exists(bad),
      () => shell.mkdir(bad),
      () => shell.remove(bad),
      () => shell.symlink(bad, 'x'),
      () => shell.symlink('x', bad),
      () => shell.rename(bad, 'x'),
      () => shell.rename('x', bad),
      () => shell.uploadFile(bad, 'x'),
      () => shell.uploadFile('x', bad),
      () => shell.uploadDir(bad, 'x'),
      () => shell.uploadDir('x', bad),
      () => shell.downloadFile(bad, 'x'),
      () => shell.downloadFile('x', bad),
      () => shell.downloadDir(bad, 'x'),
      () => shell.downloadDir('x', bad),
    ]
    for (const bad of ['a\0b', 'half \ud800'])
      for (const call of calls(bad)) {
        const problem = await problemOf(Promise.resolve().then(call))
        expect([String(call), problem]).toMatchObject([
          String(call),
          { code: 'VALUE_UNQUOTABLE', kind: 'usage' },
        ])
      }
    expect(events).toEqual([])
  })

  test.each([
    '',
    '/',
    '//',
    '.',
    './',
    '..',
    '~',
    '~/',
    '~/.',
    '~/..',
    '~/a/..',
    '../x',
    'a/../..',
    'a/..',
    '/etc/..',
  ])('refuses to remove %j', async (path) => {
    const { shell, events } = open()
    expect(await problemOf(shell.remove(path))).toMatchObject({ code: 'REMOVE_REFUSED', kind: 'usage' })
    expect(events).toEqual([])
  })

  test('bad options are refused where they are given', () => {
    const { shell } = open()
    expect(() => shell.with({ user: '-u root' })).toThrow('is no name of a user')
    expect(() => shell.with({ timeout: '5 minutes' as '5m' })).toThrow(/timeout is "5 minutes"/)
    expect(() => shell.with({ idle: -1 })).toThrow(/idle is -1/)
    expect(() => shell.with({ pty: true, input: 'x' })).toThrow('takes no input')
    expect(() => shell.with({ env: { A: 1 as unknown as string } })).toThrow('env.A is a number, not text')
  })
}
