import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { cli, type Cli } from '../cli-harness.ts'

// Host b exists for what happens on several hosts; whole outputs are compared on one, where the order is certain.
const config = (): Cli =>
  cli().file('a/x', '').file('b/x', '').config(`
const build = task('build', {
  async run({ local, log }) { await local.sh\`echo built\`; log('in dist'); return { dir: 'dist' } },
  undo({ log }) { log('dist removed') },
})
const release = task('release', {
  on: 'db', needs: { build },
  async run({ remote }) { await remote.sh\`mkdir release\`; await remote.capture\`pwd\` },
  async undo({ remote }) { await remote.sh\`rmdir release\` },
})
const migrate = task('migrate', { on: 'db', needs: { release }, async run({ remote }) { await remote.sh\`echo 001; echo oh no >&2; exit 3\` } })
const restart = task('restart', { on: 'db', needs: { migrate }, run: () => 1 })
const both = task('both', { on: 'web', async run({ remote, host }) { await remote.sh\`echo broken >&2; exit 7\` } })
const notify = task('notify', { onError: 'warn', needs: { build }, run() { throw new Error('no such channel') } })
const stuck = task('stuck', { needs: { build }, run() { throw new Error('late') }, undo() { throw new Error('cannot go back') } })
const slow = task('slow', { on: 'db', needs: { release }, async run({ remote }) { await remote.sh\`echo sleeping; sleep 60\` } })
const stubborn = task('stubborn', {
  on: 'db',
  async run({ remote }) { await remote.sh\`echo sleeping; sleep 60\` },
  async undo({ remote }) { await remote.sh\`i=0; while [ -e x ]; do i=$((i+1)); echo undoing $i; sleep 0.3; done\` },
})
const login = task('login', { async run({ local }) {
  const own = local.with({ secrets: { TOKEN: secret.env('SHOP_TOKEN') } })
  await own.sh\`echo "no account has \$TOKEN" >&2; exit 4\`
} })
const check = task('check', { on: 'db', effect: 'read', async run({ remote }) { await remote.capture\`cat nothing\` } })
export default defineConfig({
  stages: { dev: { hosts: {
    a: { transport: 'local', root: 'a', roles: ['web', 'db'] },
    b: { transport: 'local', root: 'b', roles: ['web'] },
  } } },
  defaultStage: 'dev',
  tasks: [restart, both, notify, stuck, slow, check, stubborn, login],
})`)

describe('a run that ends well', () => {
  it('reads like airbrussh, and exits 0', async () => {
    await config()
      .args('release')
      .ends(
        0,
        `dev: release  on a
run <run> by jan

00:00 build
      01 echo built
      01 built
    ✔ 01 localhost 0.00s
      in dist
00:00 release
      01 mkdir release
    ✔ 01 a 0.00s
✔ done after 0.00s
`,
      )
  })

  it('shows with --verbose what only reads', async () => {
    const { stdout } = await config().args('release', '-v').run()
    expect(stdout).toContain('      02 pwd\n      02 <root>/a\n    ✔ 02 a 0.00s\n')
  })

  it('is silent with --quiet', async () => {
    await config().args('release', '-q').ends(0, '')
  })

  it('writes every event to a folder that git ignores', async () => {
    const { root } = await config().args('release', '-q').run()
    expect(readFileSync(path.join(root, '.deployfile/.gitignore'), 'utf8')).toBe('*\n')
    const [run = ''] = readdirSync(path.join(root, '.deployfile/runs'))
    expect(run).toMatch(/^\d{8}T\d{9}Z-[0-9a-f]{4}$/)
    const events = readFileSync(path.join(root, '.deployfile/runs', run, 'events.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
    expect(events.map((line) => (JSON.parse(line) as { seq: number }).seq)).toEqual(
      events.map((_, index) => index + 1),
    )
    expect(JSON.parse(events[0]!)).toMatchObject({ type: 'run.started', stage: 'dev', user: 'jan' })
    expect(JSON.parse(events.at(-1)!)).toMatchObject({ type: 'run.ended', status: 'done' })
  })

  it('prints the same events with --json, and nothing else', async () => {
    const { stdout, stderr, root } = await config().args('release', '--json').run()
    const [run = ''] = readdirSync(path.join(root, '.deployfile/runs'))
    const written = readFileSync(path.join(root, '.deployfile/runs', run, 'events.jsonl'), 'utf8')
    expect(stdout.trimEnd().split('\n')).toHaveLength(written.trimEnd().split('\n').length)
    expect(
      stdout
        .split('\n')
        .filter((line) => line !== '')
        .every((line) => line.startsWith('{"type":')),
    ).toBe(true)
    expect(stderr).toBe('')
  })

  it('explains what only warned, and still exits 0', async () => {
    const { code, stderr, stdout } = await config().args('notify').run()
    expect(stderr).toBe('\n! notify warned\n  no such channel\n  at deploy.config.ts:15\n')
    expect(stdout).toContain('    ! no such channel\n✔ done after 0.00s\n')
    expect(code).toBe(0)
  })
})

describe('a run that fails', () => {
  it('ends with what failed, what was undone, what was not run, and where to read on', async () => {
    await config()
      .args('restart')
      .ends(
        1,
        `dev: restart  on a
run <run> by jan

00:00 build
      01 echo built
      01 built
    ✔ 01 localhost 0.00s
      in dist
00:00 release
      01 mkdir release
    ✔ 01 a 0.00s
00:00 migrate
      01 echo 001; echo oh no >&2; exit 3
      01 001
      01 oh no
    ✘ 01 a exit 3 0.00s
00:00 stopping: 'migrate@dev/a' failed
00:00 release (undo)
      01 rmdir release
    ✔ 01 a 0.00s
00:00 build (undo)
      dist removed
✘ failed after 0.00s
`,
        `
✘ migrate failed on a
  $ echo 001; echo oh no >&2; exit 3
  exit 3
  | 001
  ! oh no

Undone: build; release on a
  dist removed
Not run: restart
Log: .deployfile/runs/<run>/events.jsonl
`,
      )
  })

  it('says equal failures of several hosts once', async () => {
    const { stderr } = await config().args('both', '-q').run()
    expect(stderr).toMatch(
      /^\n✘ both failed on [ab] \(same on [ab]\)\n {2}\$ echo broken >&2; exit 7\n {2}exit 7\n {2}\| broken\n/,
    )
    expect(stderr.match(/broken$/gm)).toHaveLength(1)
  })

  it('tells when undo failed as well, after the first failure', async () => {
    await config()
      .args('stuck', '-q')
      .ends(
        1,
        '',
        `
✘ stuck failed
  late
  at deploy.config.ts:16

Undone: build
  dist removed
Not undone: stuck

✘ stuck could not be undone
  cannot go back
  at deploy.config.ts:16
To try again: deployfile runs undo <run>
Log: .deployfile/runs/<run>/events.jsonl
`,
      )
  })

  it('shows no secret, in a command or in what it said', async () => {
    vi.stubEnv('SHOP_TOKEN', 'tr0ub4dor')
    onTestFinished(() => void vi.unstubAllEnvs())
    const { stderr, stdout, root } = await config().args('login', '-v').run()
    expect(stderr).toContain('  exit 4\n  | no account has ***\n')
    const [run = ''] = readdirSync(path.join(root, '.deployfile/runs'))
    const log = readFileSync(path.join(root, '.deployfile/runs', run, 'events.jsonl'), 'utf8')
    expect(stdout + stderr + log).not.toContain('tr0ub4dor')
  })

  it('shows stacks with --verbose only', async () => {
    expect((await config().args('stuck', '-q', '-v').run()).stderr).toMatch(
      /^ +at .*deploy\.config\.ts:16:\d+/m,
    )
  })
})

// A process of its own compiles every package when it is the first to do so.
const SPAWNED = { timeout: 30_000 }

describe('Ctrl-C', SPAWNED, () => {
  it('stops what runs, undoes, and exits 130', async () => {
    const running = config().args('slow').spawn()
    await running.printed('sleeping\n')
    running.child.kill('SIGINT')
    const { code, stdout, stderr, root } = await running.ended()
    expect(stdout).toContain('SIGINT: stopping and undoing. Press again to leave at once, without undoing.\n')
    expect(stdout).toMatch(/00:00 release \(undo\)\n {6}01 rmdir release\n {4}✔ 01 a 0\.00s\n/)
    expect(stderr).toBe(
      '\n✘ stopped by SIGINT\n\nUndone: build; release on a\n  dist removed\nLog: .deployfile/runs/<run>/events.jsonl\n',
    )
    expect(code).toBe(130)
    expect(readdirSync(path.join(root, 'a'))).toEqual(['x'])
  })

  it('twice leaves at once, says what is left half done and how to go on, and exits 130', async () => {
    const running = config().args('stubborn').spawn()
    await running.printed('sleeping\n')
    running.child.kill('SIGINT')
    // What comes within half a second is the same keystroke; by then the undo has said this.
    await running.printed('undoing 4\n')
    running.child.kill('SIGINT')
    const { code, stderr } = await running.ended()
    expect(stderr)
      .toBe(`deployfile: left at once: what was not undone yet stays as it is, and commands on hosts may still be running
  To go on: deployfile --resume=<run>
  To undo it: deployfile runs undo <run>
  Log: <root>/.deployfile/runs/<run>/events.jsonl
`)
    expect(code).toBe(130)
  })

  it.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s is the same, with its own code', async (signal, expected) => {
    const running = config().args('slow', '--json').spawn()
    await running.printed('sleeping')
    running.child.kill(signal)
    expect((await running.ended()).code).toBe(expected)
  })
})

describe('a pipe that closes', SPAWNED, () => {
  it('of a list is no error', async () => {
    const running = config().args('-A').spawn()
    running.child.stdout!.destroy()
    expect(await running.ended()).toMatchObject({ code: 0, stderr: '' })
  })

  it('ends a run neither early nor with a stack', async () => {
    const running = config().args('release').spawn()
    running.child.stdout!.destroy()
    const { code, stderr, root } = await running.ended()
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const [run = ''] = readdirSync(path.join(root, '.deployfile/runs'))
    expect(readFileSync(path.join(root, '.deployfile/runs', run, 'events.jsonl'), 'utf8')).toContain(
      '"type":"run.ended"',
    )
  })
})
