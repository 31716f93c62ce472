import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { isProblem, type Problem } from '@deployfile/core'
import { afterAll, describe, expect, test } from 'vitest'
import { tempFolder } from '../../../../test/servers/temp.ts'
import { createSecretReader } from '../../src/secret/read-secrets.ts'

const temp = tempFolder('secrets')
const reader = createSecretReader(temp.path)
afterAll(() => temp.remove())

function problemOf(make: () => unknown): Problem {
  try {
    make()
  } catch (error) {
    if (isProblem(error)) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('a file', () => {
  test('is found from the root, by an absolute path and from the home', () => {
    writeFileSync(join(temp.path, 'password'), 'in the file\n')
    expect(reader.file('password')).toBe('in the file\n')
    expect(reader.file(join(temp.path, 'password'))).toBe('in the file\n')
    const problem = problemOf(() => reader.file('~/.deployfile-no-such-file'))
    expect(problem).toMatchObject({ code: 'SECRET_MISSING', kind: 'check' })
    expect(problem.message).toBe('the secret file ~/.deployfile-no-such-file cannot be read: it is not there')
    expect(problem.details.hint).toBe(`It was looked for at ${homedir()}/.deployfile-no-such-file.`)
  })

  test('that is a folder says so', () => {
    mkdirSync(join(temp.path, 'folder'))
    expect(problemOf(() => reader.file('folder')).message).toContain('EISDIR')
  })
})

describe('a command', () => {
  test('is a line of sh in the root, or a program with its arguments', () => {
    writeFileSync(join(temp.path, 'vault'), '#!/bin/sh\nprintf "%s|" "$@"\n')
    chmodSync(join(temp.path, 'vault'), 0o755)
    expect(reader.command("./vault read 'a b'")).toBe('read|a b|')
    expect(reader.command(['./vault', 'read', 'a b; $HOME'])).toBe('read|a b; $HOME|')
  })

  test.each([
    ['false', 'the secret command false failed with exit code 1'],
    ['echo locked >&2; exit 2', 'the secret command echo locked >&2; exit 2 failed with exit code 2: locked'],
    ['kill -TERM $$', 'the secret command kill -TERM $$ was killed by SIGTERM'],
    [['no-such-vault', 'x'], 'the secret command no-such-vault x did not run: there is no such program'],
    ['head -c 2000000 /dev/zero', 'did not run: it printed more than 1 MiB'],
  ] as const)('%j that fails is a check problem', (command, message) => {
    const problem = problemOf(() => reader.command(command))
    expect(problem).toMatchObject({ code: 'SECRET_MISSING', kind: 'check' })
    expect(problem.message).toContain(message)
  })

  test('reads nothing from our standard input', () => {
    expect(reader.command('cat')).toBe('')
  })
})
