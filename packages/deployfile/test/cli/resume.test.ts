import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import type { RunEvent } from '@deployfile/core'
import { describe, expect, it } from 'vitest'
import { cli, type Cli } from '../cli-harness.ts'

// Each task leaves a file, and fails when there is one called `broken-<task>`.
const TASKS = `
const step = (name, more) => task(name, {
  async run({ local, needs }) {
    await local.sh\`mkdir -p done && echo \${JSON.stringify(needs)} > done/\${name}\`
    if (await local.test\`test -e broken-\${name}\`) throw new Error('broken')
    return name
  },
  async undo({ local }) { await local.sh\`rm -f done/\${name}\` },
  ...more,
})
const build = step('build', {})
const release = step('release', { needs: { build } })
const publish = step('publish', { needs: { release }, onResume: 'ask' })
const migrate = step('migrate', { needs: { release }, onResume: 'fail' })
const clean = step('clean', { needs: { release } })
`
const STAGES = `stages: { dev: { hosts: {} }, production: { protected: true, hosts: {} } }, defaultStage: 'dev'`
const text = (tasks = TASKS): string =>
  `${tasks}export default defineConfig({ ${STAGES}, tasks: [publish, migrate, clean] })`
const OLD = "step('clean', { needs: { release } })"
const IMPORTS = `import { defineConfig, task } from 'deployfile'\n`
const config = (): Cli => cli().config(text())

const runsOf = ({ root }: Cli): readonly string[] => readdirSync(path.join(root, '.deployfile/runs')).sort()
const done = ({ root }: Cli): readonly string[] => {
  const folder = path.join(root, 'done')
  return existsSync(folder) ? readdirSync(folder).sort() : []
}
const log = (at: Cli): string => path.join(at.root, '.deployfile/runs', runsOf(at)[0] ?? '', 'events.jsonl')
const events = (at: Cli): RunEvent[] =>
  readFileSync(log(at), 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as RunEvent)

/** As if the only run had been killed right after that event, and half of the next one had been written. */
function kill(at: Cli, after: (event: RunEvent) => boolean): void {
  const all = events(at)
  const index = all.findIndex(after)
  expect(index).toBeGreaterThan(-1)
  const lines = all.slice(0, index + 1).map((event) => `${JSON.stringify(event)}\n`)
  writeFileSync(log(at), `${lines.join('')}{"type":"node.st`)
  const owner = path.join(path.dirname(log(at)), 'owner.1')
  const { pid: _, ...facts } = JSON.parse(readFileSync(owner, 'utf8')) as { pid: number }
  // No process has this number: it is above the largest one that Linux gives.
  writeFileSync(owner, JSON.stringify({ ...facts, pid: 2 ** 22 + 1 }))
}

const started =
  (node: string) =>
  (event: RunEvent): boolean =>
    event.type === 'node.started' && event.node === node && event.phase === 'run'
const ended =
  (node: string) =>
  (event: RunEvent): boolean =>
    event.type === 'node.ended' && event.node === node && event.phase === 'run'

/** A run of everything that `task` needs, killed in the middle. */
async function killed(task: string, after: (event: RunEvent) => boolean): Promise<Cli> {
  const at = config().args(task, '-q')
  await at.run()
  kill(at, after)
  return at
}

describe('--undo off', () => {
  it('leaves what was done, says so, and says how to go on', async () => {
    const at = config().file('broken-clean', '').args('clean', '--undo', 'off')
    const { stdout } = await at.ends(
      1,
      expect.stringContaining('nothing is undone: undo is off\n') as string,
      `
✘ clean failed
  broken
  at deploy.config.ts:6

Done, and left as it is: build; release
To go on: deployfile --resume=<run>
To undo it: deployfile runs undo <run>
Log: .deployfile/runs/<run>/events.jsonl
`,
    )
    expect(stdout).not.toContain('(undo)')
    expect(done(at)).toEqual(['build', 'clean', 'release'])
  })

  it('does not offer to go on where nothing was done', async () => {
    const { stderr } = await config().file('broken-build', '').args('clean', '--undo', 'off', '-q').run()
    expect(stderr).toContain(
      'Nothing was undone.\nNot run: release; clean\nTo undo it: deployfile runs undo <run>\n',
    )
  })

  it('goes on with --resume: what is done is not done again', async () => {
    const at = config().file('broken-clean', '').args('clean', '--undo', 'off', '-q')
    await at.run()
    writeFileSync(path.join(at.root, 'done/build'), 'as it was')
    rmSync(path.join(at.root, 'broken-clean'))
    appendFileSync(path.join(at.root, 'deploy.config.ts'), '// mended')
    await at.next('--resume').ends(
      0,
      `dev: clean  on this machine
run <run> by jan
resumes: 2 of 3 tasks are done

00:00 clean
      01 mkdir -p done && echo '{"release":"release"}' > done/'clean'
    ✔ 01 localhost 0.00s
✔ done after 0.00s
`,
      'deployfile: This file has changed since the run was started: deploy.config.ts\n',
    )
    expect(readFileSync(path.join(at.root, 'done/build'), 'utf8')).toBe('as it was')
    expect(runsOf(at)).toHaveLength(1)
    const all = events(at)
    expect(all.map(({ seq }) => seq)).toEqual(all.map((_, index) => index + 1))
  })

  it('is undone with runs undo, once', async () => {
    const at = config().file('broken-clean', '').args('clean', '--undo', 'off', '-q')
    await at.run()
    const [id = ''] = runsOf(at)
    const { stdout } = await at
      .next('runs', 'undo', id.slice(0, 20))
      .ends(0, expect.stringMatching(/^✔ undone after 0\.00s$/m) as string)
    expect(stdout).toContain('run <run> by jan\nundoes what was done of it\n')
    expect(done(at)).toEqual([])
    await at.next('runs', 'undo', id).ends(
      2,
      '',
      `deployfile: the run <run> cannot be undone: that was done already
  What a run that failed or was killed has left can be undone, and only once.
`,
    )
  })
})

describe('--undo ask', () => {
  it('undoes for `undo`, and for nothing else', async () => {
    const yes = config().file('broken-clean', '').args('clean', '--undo', 'ask', '-q').answers('undo')
    await yes.run()
    expect(done(yes)).toEqual([])
    const no = config().file('broken-clean', '').args('clean', '--undo', 'ask', '-q').answers('no')
    expect((await no.run()).stderr).toContain('To go on: deployfile --resume=<run>')
    expect(done(no)).toEqual(['build', 'clean', 'release'])
  })

  it('undoes where nobody can be asked', async () => {
    const at = config().file('broken-clean', '').args('clean', '--undo', 'ask', '-q')
    await at.run()
    expect(done(at)).toEqual([])
  })
})

describe('a run that was killed', () => {
  it('goes on where it was, with the same id and the results of before', async () => {
    const at = await killed('clean', started('clean'))
    await at.next('--resume', '-q').ends(0, '')
    expect(events(at).at(-1)).toMatchObject({ type: 'run.ended', status: 'done' })
    expect(readFileSync(path.join(at.root, 'done/clean'), 'utf8')).toBe('{"release":"release"}\n')
    await at
      .next('--resume')
      .ends(2, '', 'deployfile: the run <run> cannot be resumed: it ended well\n  Start a new run.\n')
  })

  it('is told of by the next one that changes something', async () => {
    const at = await killed('clean', ended('release'))
    await at.next('build', '-q').ends(
      0,
      '',
      `deployfile: the last run, <run>, never ended: its process is gone.
  To go on: deployfile --resume=<run>
  To undo it: deployfile runs undo <run>
`,
    )
  })

  it('asks about a task that may not simply be run again, before anything starts', async () => {
    const at = await killed('publish', started('publish'))
    const before = events(at).length
    await at.next('--resume').ends(
      3,
      '',
      `deployfile: not confirmed: this needs an answer, and there is no terminal to ask on
'publish' was under way when the run was killed, and nobody knows how far it came.
Find out what it did before you go on: it will be run again.
  To go on, add confirm=publish
`,
    )
    await at
      .next('--resume')
      .answers('yes')
      .ends(
        3,
        '',
        `deployfile: not confirmed: 'yes' is not 'publish'
  To go on, type publish, or add confirm=publish
`,
      )
    expect(events(at)).toHaveLength(before)
    await at.next('--resume', 'confirm=publish', '-q').answers(undefined).ends(0, '')
  })

  it('is not resumed where a task must not be run again; exit 3', async () => {
    const at = await killed('migrate', started('migrate'))
    await at.next('--resume').ends(
      3,
      '',
      `deployfile: 'migrate' was under way when the run was killed, and nobody knows how far it came. It must not be run again (onResume: 'fail')
  Find out what it did. To take the run back: deployfile runs undo <run>
`,
    )
  })

  it('is not resumed with another plan, and says what is different', async () => {
    const at = await killed('clean', started('clean'))
    at.file('other.config.ts', IMPORTS + text(TASKS.replace(OLD, "step('clean', { needs: { build } })")))
    const { code, stderr } = await at.next('--resume', '--config', 'other.config.ts').run()
    expect(code).toBe(2)
    expect(stderr).toMatch(
      /^deployfile: the run <run> cannot be resumed: its plan is not the same any more\n {2}\S.*release/,
    )
    expect(stderr).toContain('Put the config back as it was, or undo the run: deployfile runs undo <run>\n')
  })

  it('is not resumed from the middle of its undo, but undone to the end', async () => {
    const at = config().file('broken-clean', '').args('clean', '-q')
    await at.run()
    kill(at, (event) => event.type === 'node.started' && event.phase === 'undo' && event.node === 'release')
    const hint = 'Bring that to its end: deployfile runs undo <run>'
    await at
      .next('--resume')
      .ends(2, '', `deployfile: the run <run> cannot be resumed: it was being undone\n  ${hint}\n`)
    // What the killed undo had not reached.
    mkdirSync(path.join(at.root, 'done'), { recursive: true })
    writeFileSync(path.join(at.root, 'done/release'), '')
    writeFileSync(path.join(at.root, 'done/build'), '')
    await at.next('runs', 'undo', runsOf(at)[0] ?? '', '-q').ends(0, '')
    expect(done(at)).toEqual([])
  })

  it('is undone with runs undo; on a protected stage only when that is confirmed', async () => {
    const at = config().args('production', 'clean', '-q', '--yes')
    await at.run()
    kill(at, started('clean'))
    const [id = ''] = runsOf(at)
    await at.next('runs', 'undo', id).ends(
      3,
      '',
      `deployfile: not confirmed: this needs an answer, and there is no terminal to ask on
production is protected. This is undone:
  build
  release
  clean
  To go on, add --yes
`,
    )
    expect(done(at)).toEqual(['build', 'clean', 'release'])
    await at.next('runs', 'undo', id, '-q', 'confirm=production').ends(0, '')
    expect(done(at)).toEqual([])
  })

  it('exits 1 where something could not be undone, and can be tried again', async () => {
    const at = await killed('clean', started('clean'))
    at.file('other.config.ts', IMPORTS + text(TASKS.replace('rm -f done/', 'rm done/no-such-folder/')))
    const [id = ''] = runsOf(at)
    const { code, stderr } = await at.next('runs', 'undo', id, '-q', '--config', 'other.config.ts').run()
    expect(code).toBe(1)
    expect(stderr).toContain('Not undone: build; release; clean\n')
    expect(stderr).toContain('To try again: deployfile runs undo <run> --config other.config.ts\n')
    expect(stderr).not.toContain('Not run')
    await at.next('runs', 'undo', id, '-q').ends(0, '')
    expect(done(at)).toEqual([])
  })

  it('is not undone by a config that lacks a task of it', async () => {
    const at = await killed('clean', started('clean'))
    at.file('other.config.ts', IMPORTS + text(TASKS.replaceAll('build', 'make')))
    const { stderr, code } = await at
      .next('runs', 'undo', runsOf(at)[0] ?? '', '--config', 'other.config.ts')
      .run()
    expect({ stderr, code }).toEqual({
      code: 2,
      stderr: `deployfile: the run <run> cannot be undone: the config does not have its task 'build' any more
  Put that back into the config, and try again.
`,
    })
  })

  it('is listed as killed', async () => {
    const at = await killed('clean', started('clean'))
    await at.next('runs').ends(0, '<run>  killed  dev: clean  by jan\n')
    await at.next('--resume', '-q').run()
    await at.next('runs', 'list').ends(0, '<run>  done  dev: clean  by jan\n')
  })
})

describe('--resume', () => {
  it('without a run says where it looked', async () => {
    await config()
      .args('--resume')
      .ends(
        2,
        '',
        `deployfile: there is no run in <root>/.deployfile/runs
  Runs are kept beside deploy.config.ts, on the machine that started them.
`,
      )
  })

  it('of a log that something else wrote to says which line', async () => {
    const at = await killed('clean', started('clean'))
    const lines = readFileSync(log(at), 'utf8').split('\n')
    writeFileSync(log(at), [lines[0], 'hello', ...lines.slice(1)].join('\n'))
    await at.next('--resume').ends(
      3,
      '',
      `deployfile: line 2 of <root>/.deployfile/runs/<run>/events.jsonl is not an event of a run
  Something else has written to it. The run can neither be resumed nor undone; what it did stays as it is.
`,
    )
  })
})
