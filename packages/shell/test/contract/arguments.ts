import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { secret } from '@deployfile/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Open, problemOf } from './opened.ts'

const SPECIAL = `'"\\$\`!*?[]{}()<>|&;~# \n\t\r%=-^\u0001\u007f\u0085`

// Every code point but NUL, and often those that mean something to a shell, to sh's printf or to a terminal.
const word = fc.string({
  unit: fc.oneof(
    {
      weight: 3,
      arbitrary: fc.constantFrom(...Array.from(SPECIAL)),
    },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)) },
    {
      weight: 1,
      arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }).filter((char) => char !== '\0'),
    },
  ),
  maxLength: 24,
})

export function commandArguments(open: Open): void {
  test('run gives a program exactly these arguments, whatever is in them', async () => {
    const { shell } = open()
    await fc.assert(
      fc.asyncProperty(fc.array(word, { maxLength: 6 }), async (words) => {
        // NUL ends each, which no argument can hold.
        const { stdout } = await shell.run('printf', ['%s\\0', ...words, 'end'])
        expect(stdout.split('\0')).toEqual([...words, 'end', ''])
      }),
      { numRuns: 25 },
    )
  })

  test('so do templates and the values of a script', async () => {
    const { shell } = open()
    await fc.assert(
      fc.asyncProperty(word, word, async (one, two) => {
        expect((await shell.sh`printf '%s\0' ${one} ${[two, one]}`).stdout).toBe(`${one}\0${two}\0${one}\0`)
        expect((await shell.script(`printf '%s\\0' "$@"`, [one, two])).stdout).toBe(`${one}\0${two}\0`)
        const { stdout } = await shell.with({ env: { VALUE: one } }).run('printenv', ['VALUE'])
        expect(stdout).toBe(`${one}\n`)
      }),
      { numRuns: 12 },
    )
  })

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

  test('what is too long for one argument travels on standard input, also beside an input', async () => {
    const { shell } = open()
    const long = `${"it's €".repeat(30_000)}.`
    const bytes = Buffer.byteLength(long)
    expect(Number(await shell.capture`printf %s ${long} | wc -c`)).toBe(bytes)
    const given = shell.with({ input: 'the input\nin two lines' })
    expect(await given.capture`printf %s ${long} | wc -c; cat`).toContain('the input\nin two lines')
    expect((await given.script(`${': x\n'.repeat(40_000)}cat; echo "|$1"`, ['last'])).stdout).toBe(
      'the input\nin two lines|last\n',
    )
    // Each fits the system's own limit, all together do not fit the way.
    const many = Array.from({ length: 20 }, (_, at) => `${String(at)}${'y'.repeat(20_000)}`)
    expect(
      (await given.run('sh', ['-c', 'cat; for word; do :; done; echo " $#"', 'sh', ...many])).stdout,
    ).toBe('the input\nin two lines 20\n')
    const input = Buffer.alloc(3_000_001, 'z')
    expect((await shell.with({ input }).sh`: ${long}; wc -c`).stdout.trim()).toBe('3000001')
  })

  test('an argument longer than the system takes fails with a hint', async () => {
    const { shell } = open()
    const problem = await problemOf(shell.run('true', ['x'.repeat(200_000)]))
    expect(problem).toMatchObject({ code: 'COMMAND_FAILED', details: { command: { exitCode: 126 } } })
    expect(problem.details.hint).toContain('pass long values on standard input')
  })

  test('each number that sh gives has its hint', async () => {
    const { shell, folder } = open()
    writeFileSync(join(folder, 'plain-file'), 'echo')
    chmodSync(join(folder, 'plain-file'), 0o644)
    const hint = async (promise: Promise<unknown>): Promise<string | undefined> =>
      (await problemOf(promise)).details.hint
    expect(await hint(shell.sh`no-such-program`)).toContain('`path` or `login: true` of the host')
    expect(await hint(shell.run('./plain-file'))).toContain('chmod +x')
    expect(await hint(shell.with({ cwd: 'no/such' }).sh`true`)).toBe(
      'It was to run in no/such, which is missing or may not be entered.',
    )
    expect(await hint(shell.sh`kill -KILL $$`)).toContain('memory')
    expect(await hint(shell.sh`exit 1`)).toBeUndefined()
  })
}
