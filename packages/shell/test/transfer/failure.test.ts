import { describe, expect, test } from 'vitest'
import type { Done } from '../../src/command/done.ts'
import { fileFailed, localFault, refused, remoteFault } from '../../src/transfer/failure.ts'

function done(exitCode: number | null, ...tail: readonly string[]): Done {
  return {
    ending: { exitCode, signal: exitCode === null ? 'SIGKILL' : null },
    stdout: '',
    stderr: tail.join('\n'),
    truncated: false,
    whole: true,
    durationMs: 1,
    facts: { host: 'web1', text: 'cat > /srv/a', tail },
  }
}

describe('what the programs of other machines say', () => {
  test.each([
    ['sh: 12: cannot create /srv/.a.1.part: Permission denied', 'PERMISSION_DENIED'],
    ['mkdir: cannot create directory ‘/srv/x’: Read-only file system', 'PERMISSION_DENIED'],
    ['rm: /srv/x: Operation not permitted', 'PERMISSION_DENIED'],
    ['cat: write error: No space left on device', 'NO_SPACE'],
    ['cat: stdout: Disk quota exceeded', 'NO_SPACE'],
    ['cat: write error: File too large', 'NO_SPACE'],
    ['File size limit exceeded (core dumped)', 'NO_SPACE'],
    ['Filesize limit exceeded: 25', 'NO_SPACE'],
    ['sh: 3: cannot open /srv/a: No such file', 'FILE_MISSING'],
    ['sh: line 3: /srv/a: No such file or directory', 'FILE_MISSING'],
    ['sh: 12: cannot create /srv/none/.a.1.part: Directory nonexistent', 'FILE_MISSING'],
    ["sh: can't create /srv/none/.a.1.part: nonexistent directory", 'FILE_MISSING'],
    ["mv: cannot stat 'x': No such file or directory", 'FILE_MISSING'],
    ["mkdir: cannot create directory '/srv/a': File exists", 'WRONG_KIND'],
    ["mkdir: cannot create directory '/srv/a/b': Not a directory", 'WRONG_KIND'],
    ["mv: cannot overwrite non-directory '/srv/a' with directory '/srv/b'", 'WRONG_KIND'],
    ["mv: cannot move '/srv/a' to '/srv/b': Directory not empty", 'WRONG_KIND'],
    ['cat: read error: Is a directory', 'WRONG_KIND'],
  ])('%s', (line, code) => {
    const problem = fileFailed(done(2, line), '/srv/a', 'written')
    expect(problem).toMatchObject({ code, kind: 'task' })
    expect(problem.details).toMatchObject({
      host: 'web1',
      path: '/srv/a',
      command: { exitCode: 2, tail: [line] },
    })
    expect(problem.message).toMatch(/^web1: \/srv\/a cannot be written: [a-z ]+$/)
  })

  test('tar names what is meant inside of a tree, and says more after it', () => {
    const problem = fileFailed(
      done(
        1,
        'tar: ./log/secret: Cannot open: Permission denied',
        'tar: Exiting with failure status due to previous errors',
      ),
      '/srv/app',
      'read',
    )
    expect(problem.message).toBe(
      'web1: /srv/app cannot be read: permission denied (./log/secret: Cannot open: Permission denied)',
    )
    expect(problem.details.hint).toBe('See who may on web1: ls -ld /srv /srv/app; id')
  })

  test('a tree that is written to while it is read', () => {
    const problem = fileFailed(done(1, 'tar: ./app.log: file changed as we read it'), '/srv/app', 'read')
    expect(problem.code).toBe('TRANSFER_BROKEN')
    expect(problem.message).toBe(
      'web1: /srv/app cannot be read: it was changed while it was being read (./app.log: file changed as we read it)',
    )
  })

  test.each([
    [73, 'it is a folder', 'WRONG_KIND'],
    [72, 'there is no such folder', 'FILE_MISSING'],
    [74, 'only 5 of 10 bytes arrived', 'TRANSFER_BROKEN'],
    [69, 'neither sha256sum, shasum nor openssl is there', 'PROGRAM_MISSING'],
  ])('our own refusal %i: %s', (exitCode, reason, code) => {
    const problem = fileFailed(done(exitCode, reason), '/srv/a', 'written')
    expect(problem.code).toBe(code)
    expect(problem.message).toBe(`web1: /srv/a cannot be written: ${reason}`)
  })

  test('a limit that kills without a word', () => {
    const problem = fileFailed(done(153), '/srv/a', 'written')
    expect(problem.code).toBe('NO_SPACE')
    expect(problem.message).toBe(
      'web1: /srv/a cannot be written: it is larger than files of this login may be (ulimit -f)',
    )
  })

  test('all else is the failure of a command', () => {
    const problem = fileFailed(done(5, 'cat: something else'), '/srv/a', 'written')
    expect(problem.code).toBe('COMMAND_FAILED')
    expect(problem.message).toBe('web1: cat > /srv/a failed with exit code 5: cat: something else')
  })
})

describe('what this machine says', () => {
  test.each([
    ['ENOENT', 'FILE_MISSING', 'there is no such file or folder'],
    ['EACCES', 'PERMISSION_DENIED', 'permission denied'],
    ['EROFS', 'PERMISSION_DENIED', 'permission denied'],
    ['ENOSPC', 'NO_SPACE', 'no space is left for it'],
    ['EDQUOT', 'NO_SPACE', 'no space is left for it'],
    ['ENOTDIR', 'WRONG_KIND', 'something of another kind is in its place'],
  ])('%s', (errno, code, reason) => {
    const problem = localFault('/home/me/a', 'read', Object.assign(new Error('x'), { code: errno }))
    expect(problem.code).toBe(code)
    expect(problem.message).toBe(`this machine: /home/me/a cannot be read: ${reason}`)
    expect(problem.details.host).toBeUndefined()
    expect(problem.details.path).toBe('/home/me/a')
    expect(problem.details.hint).toContain('/home/me')
  })

  test('anything else in its own words', () => {
    const problem = localFault('/home/me/a', 'read', new Error('EIO: i/o error, read'))
    expect(problem.code).toBe('LOCAL_FILE')
    expect(problem.message).toBe('this machine: /home/me/a cannot be read: EIO: i/o error, read')
  })
})

test.each([
  ['TRANSFER_BROKEN', fileFailed(done(74, 'only 3 of 9 bytes arrived'), '/srv/a', 'written'), true],
  ['WRONG_KIND', fileFailed(done(73, 'it is a folder'), '/srv/a', 'written'), false],
  ['FILE_MISSING', fileFailed(done(1, 'No such file or directory'), '/srv/a', 'read'), false],
  ['NO_SPACE', localFault('/srv/a', 'written', Object.assign(new Error(), { code: 'ENOSPC' })), false],
  ['NO_SPACE', remoteFault('web1', '/srv/a', 'written', 'ENOSPC'), false],
  ['TREE_REFUSED', refused('TREE_REFUSED', 'web1: x', { path: 'x' }), false],
  ['LOCAL_FILE', localFault('/srv/a', 'read', new Error('strange')), undefined],
])('%s says whether the same again may work', (code, problem, retryable) => {
  expect([problem.code, problem.details.retryable]).toEqual([code, retryable])
})
