import { describe, expect, it } from 'vitest'
import { cli, type Cli } from '../cli-harness.ts'

const config = (): Cli =>
  cli().config(`
const build = task('assets:build', {
  desc: 'Build',
  input: z.object({ mode: z.enum(['dev', 'prod']).default('dev'), force: z.boolean().default(false) }),
  run({ input, log }) { log(JSON.stringify(input)) },
})
const release = task('release', { desc: 'Make a release', on: 'web', needs: { build }, run: () => 1 })
export default defineConfig({
  stages: {
    dev: { hosts: { here: { transport: 'local', roles: ['web'] } } },
    production: { protected: true, hosts: { web1: { roles: ['web'] } } },
  },
  defaultStage: 'dev',
  tasks: [build, release],
})`)

const RUNS = 'deployfile runs --help says what it takes.'

describe('words that nothing answers to', () => {
  it.each([
    [
      ['prodution', 'release'],
      `'prodution' is neither a stage nor a task`,
      `Did you mean the stage 'production'? deployfile -T lists the tasks; the stages are dev, production.`,
    ],
    [
      ['relaese'],
      `'relaese' is neither a stage nor a task`,
      `Did you mean the task 'release'? deployfile -T lists the tasks; the stages are dev, production.`,
    ],
    [
      ['qqqqqq'],
      `'qqqqqq' is neither a stage nor a task`,
      `deployfile -T lists the tasks; the stages are dev, production.`,
    ],
    [
      ['production', 'relaese'],
      `there is no task 'relaese'`,
      `Did you mean the task 'release'? deployfile -T lists the tasks.`,
    ],
    [
      ['release', 'production'],
      `there is no task 'production'`,
      `The stage goes first: deployfile production release`,
    ],
    [
      ['release', 'stage=devv'],
      `there is no stage 'devv'`,
      `Did you mean 'dev'? The stages are dev, production.`,
    ],
    [
      ['production', 'release', 'stage=dev'],
      `the stage is 'production' by the first word and 'dev' by stage=dev`,
      'Name one of them.',
    ],
    [['release', '-x'], `unknown option '-x'`, 'deployfile --help lists the options.'],
    [
      ['release', '--resume'],
      '--resume stands alone, and not beside release',
      'Stage, tasks and inputs come from the run. To run something else, leave --resume out.',
    ],
    [['--resume', '-n'], '--resume goes on with a run, and --dry-run runs nothing', 'Leave --dry-run out.'],
    [['runs', 'undo', 'X', '--plan'], 'runs undo undoes a run, and --plan runs nothing', 'Leave --plan out.'],
    [['runs', 'delete'], "'runs' does not know 'delete'", RUNS],
    [
      ['runs', 'undo'],
      'no run was named',
      'Say which: deployfile runs undo RUN. deployfile runs lists them.',
    ],
    [['runs', 'undo', '2026'], "there is no run '2026'", 'deployfile runs lists them.'],
    [
      ['release', '--plna'],
      `unknown option '--plna'`,
      `Did you mean '--plan'? deployfile --help lists the options.`,
    ],
    [
      ['release', '--forse'],
      `unknown option '--forse'`,
      `Did you mean '--force'? deployfile --help lists the options.`,
    ],
    [['release', '--mode'], '--mode has no value', 'Write mode=… or --mode ….'],
    [
      ['release', 'mode=dev', '--mode', 'prod'],
      `mode is given twice, as 'dev' and as 'prod'`,
      'Give it once.',
    ],
    [
      ['release', '--renderer', 'fancy'],
      `option '--renderer <name>' argument 'fancy' is invalid. Allowed choices are auto, tree, plain, json, github.`,
      'deployfile --help lists the options.',
    ],
    [
      ['release', '--on-failure', 'stop'],
      `option '--on-failure <mode>' argument 'stop' is invalid. Allowed choices are no-new, continue, kill.`,
      'deployfile --help lists the options.',
    ],
    [
      ['release', '--concurrency', '0'],
      `option '--concurrency <n>' argument '0' is invalid. It is a whole number from 1.`,
      'deployfile --help lists the options.',
    ],
    [
      ['release', '--grace', '1 week'],
      `option '--grace <time>' argument '1 week' is invalid. It is a time, such as 2m.`,
      'deployfile --help lists the options.',
    ],
    [
      ['release', '--json', '--renderer', 'plain'],
      '--json and --renderer plain contradict each other',
      'Leave one of them out.',
    ],
  ])('%j', async (args, message, hint) => {
    await config()
      .args(...args)
      .ends(2, '', `deployfile: ${message}\n  ${hint}\n`)
  })

  it('an input that does not fit', async () => {
    const { stderr, code, stdout } = await config().args('release', 'mode=fast').run()
    expect(stderr).toMatch(
      /^deployfile: the input of 'assets:build' does not fit: mode=fast is neither dev nor prod\n {2}deploy\.config\.ts:5:21\n/,
    )
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  })

  it('an input that no task takes', async () => {
    await config()
      .args('release', 'moed=prod')
      .ends(2, '', `deployfile: 'release' takes no input 'moed'\n  Did you mean 'mode'?\n`)
  })
})

describe('inputs', () => {
  it.each([
    [['mode=prod', 'force=true']],
    [['--mode', 'prod', '--force']],
    [['--mode=prod', '--force=true']],
    [['assets:build.mode=prod', '--force', 'true']],
  ])('%j are the same', async (inputs) => {
    const { stdout } = await config()
      .args('assets:build', ...inputs)
      .run()
    expect(stdout).toContain('      {"mode":"prod","force":true}\n')
  })
})

describe('a command line that asks for nothing', () => {
  it('with a stage alone lists the tasks, exit 2', async () => {
    await config()
      .args('production')
      .ends(
        2,
        'deployfile assets:build  # Build\ndeployfile release       # Make a release\n',
        'deployfile: no task was named\n  Say what to run: deployfile production <task>\n',
      )
  })

  it('without any word prints the help, exit 2, and needs no config', async () => {
    const { stdout, stderr, code } = await cli().run()
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 })
    expect(stderr).toMatch(/^Usage: deployfile \[stage\] <task\.\.\.> \[key=value\.\.\.\] \[options\]\n/)
  })
})

describe('--help and --version', () => {
  it('prints what exists, without a config', async () => {
    await cli()
      .args('--help')
      .ends(
        0,
        `Usage: deployfile [stage] <task...> [key=value...] [options]

Runs the tasks of deploy.config.ts on the hosts of a stage.

Options:
  -h, --help                show this; after a task or a command, what that
                            takes
  --version                 show the version
  -T, --tasks [pattern]     list the tasks that have a description; names that
                            contain the pattern
  -A, --all                 list tasks without a description, too
  -D, --describe [pattern]  describe tasks in full: inputs, needs, where they
                            run
  -P, --prereqs [pattern]   list what tasks need, as a tree
  -W, --where [pattern]     list where tasks are declared
  --plan                    print the plan: what would run where, and what it
                            waits for
  --graph <format>          print the plan as a graph (choices: "mermaid",
                            "dot", "json")
  -n, --dry-run             change nothing: read what a run would read, and
                            print what it would do
  -z, --hosts <names>       only these hosts of the stage: web1,web2
  -r, --roles <names>       only hosts that have one of these roles: web,db
  --skip <task>             leave a task out, with what only it needs; may be
                            given several times
  -y, --yes                 do not ask before a protected stage is changed
  --on-failure <mode>       start nothing new, run what does not depend on it,
                            or cancel what runs (choices: "no-new", "continue",
                            "kill", default: "no-new")
  --undo <mode>             undo what was done when the run fails, leave it, or
                            ask (choices: "on", "off", "ask", default: "on")
  --resume [run]            go on with a run that was killed, or failed with
                            --undo off; default the last
  --concurrency <n>         tasks at once, default 100
  --grace <time>            for what must stop before it is given up, such as
                            2m; default the config's
  --lock-wait <time>        wait so long for a lock that another run holds on a
                            host; default not at all
  --renderer <name>         how a run is shown (choices: "auto", "tree",
                            "plain", "json", "github", default: "auto")
  --json                    one JSON event a line; of a list, a plan or a
                            command one JSON document
  -q, --quiet               only failures
  -v, --verbose             also what commands that only read print, and stack
                            traces
  --config <file>           the config, instead of looking for deploy.config.ts
  --cwd <folder>            start from this folder

Commands:
  init                       write a deploy.config.ts for this project
  doctor                     check this machine, the config and every host
  runs                       list runs; runs show, log, undo RUN; runs prune
  exec 'uptime'              one command on the hosts of a stage
  ssh HOST                   log in to a host of the config
  completion bash|zsh|fish   print what completes words in that shell

Examples:
  deployfile -T                                  list the tasks
  deployfile production deploy:migrations        a stage, then tasks
  deployfile db:backup:restore file=some.pgdump  no stage: the default one
  deployfile staging deploy --plan               what would run, in which order
  deployfile staging deploy -n                   what it would do on the hosts
  deployfile --resume                            go on with a run that broke off
  deployfile deploy --help                       what it takes, needs and does
`,
      )
  })

  it('prints the version', async () => {
    const { stdout, code } = await cli().args('--version').run()
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
    expect(code).toBe(0)
  })
})
