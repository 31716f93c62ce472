import type { CommandEvent, Host } from '@deployfile/core'
import { createRecorder } from '@deployfile/shell'
import { describe, expect, test } from 'vitest'
import { problemOf, refusals } from '../contract.ts'

const web1: Host = {
  name: 'web1',
  stage: 'production',
  roles: ['web'],
  transport: 'ssh',
  address: 'web1',
  primary: true,
  props: {},
}
const scope = { signal: new AbortController().signal, emit: () => undefined }

test('records what would be done, as data, and does nothing', async () => {
  const recorder = createRecorder()
  const shell = recorder.remote(web1, scope).with({ cwd: '/srv' })
  await shell.sh`ln -s ${'a b'} x`
  await shell.run('git', ['clone', 'a b'], { timeout: 5 })
  await shell.script('echo $1', ['x'])
  await shell.writeFile('REVISION', 'abc\n')
  await shell.symlink('/srv/releases/1', '/srv/current')
  await shell.mkdir('shared')
  await shell.remove('old')
  await shell.rename('a', 'b')
  await shell.uploadFile('x', 'y')
  await shell.uploadDir('dist', 'public')
  expect(recorder.commands.map(({ call, text }) => `${call}: ${text}`)).toEqual([
    "sh: ln -s 'a b' x",
    "run: git clone 'a b'",
    'script: echo $1',
    'writeFile: cat > REVISION',
    'symlink: ln -sfn /srv/releases/1 /srv/current',
    'mkdir: mkdir -p shared',
    'remove: rm -rf old',
    'rename: mv a b',
    'uploadFile: upload x y',
    'uploadDir: upload -r dist public',
  ])
  expect(recorder.commands[1]).toEqual({
    host: 'web1',
    call: 'run',
    text: "git clone 'a b'",
    reads: false,
    options: { cwd: '/srv', timeout: 5 },
  })
  expect(recorder.commands[3]?.input).toBe('abc\n')
})

test('answers by text or pattern, the first that fits', async () => {
  const recorder = createRecorder({
    answers: [
      ['cat REVISION', 'abc\n'],
      [/^git rev-parse/, 'def\n\n'],
      ['test -e gone', 1],
      [/^test -e/, 0],
      ['false', { exitCode: 2, stderr: 'bad\n' }],
    ],
  })
  const shell = recorder.remote(web1, scope)
  expect(await shell.readFile('REVISION')).toBe('abc\n')
  expect(await shell.capture`git rev-parse ${'HEAD'}`).toBe('def')
  expect(await shell.exists('gone')).toBe(false)
  expect(await shell.exists('here')).toBe(true)
  expect((await problemOf(shell.sh`false`)).message).toBe('web1: false failed with exit code 2: bad')
  expect((await problemOf(shell.test`false`)).code).toBe('COMMAND_FAILED')
})

test('downloads give the bytes of their answer, and none where nothing was said of them', async () => {
  const recorder = createRecorder({
    answers: [
      ['download -r /srv/app copy', '€'],
      ['download dump here', 'twelve bytes'],
      ['download -r /none copy', { exitCode: 1, stderr: 'no such folder\n' }],
    ],
  })
  const shell = recorder.remote(web1, scope)
  expect(await shell.downloadDir('/srv/app', 'copy')).toBe(3)
  expect(await shell.downloadFile('dump', 'here')).toBe(12)
  expect(await shell.downloadDir('/srv/other', 'copy')).toBe(0)
  expect((await problemOf(shell.downloadDir('/none', 'copy'))).message).toBe(
    'web1: download -r /none copy failed with exit code 1: no such folder',
  )
  expect(recorder.commands.map(({ call, reads }) => [call, reads])).toEqual([
    ['downloadDir', false],
    ['downloadFile', false],
    ['downloadDir', false],
    ['downloadDir', false],
  ])
})

test('a question that nobody answered is an error that says what to add', async () => {
  const recorder = createRecorder({ answers: [['date', 'today']] })
  const problem = await problemOf(recorder.local(scope).capture`hostname -f`)
  expect(problem.code).toBe('UNEXPECTED_COMMAND')
  expect(problem.message).toBe('localhost: nobody told the recorder what capture of `hostname -f` gives')
  expect(problem.details.hint).toBe(
    'Add it to answers: ["hostname -f", \'output\'] or an exit code. There are answers for: date.',
  )
  await problemOf(recorder.local(scope).test`true`)
})

describe('refuses what a real shell would refuse', () => {
  refusals(() => {
    const recorder = createRecorder()
    const events: CommandEvent[] = []
    const emit = (event: CommandEvent): void => void events.push(event)
    return { shell: recorder.remote(web1, { ...scope, emit }), folder: '/', root: '/', events }
  })

  test('a value between quotes', async () => {
    const shell = createRecorder().remote(web1, scope)
    expect((await problemOf(shell.sh`echo "${'x'}"`)).code).toBe('COMMAND_TEMPLATE')
  })
})
