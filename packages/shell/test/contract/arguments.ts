import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
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
