import { milliseconds, Problem, type UndoMode } from '@deployfile/core'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'

export type OnFailure = 'no-new' | 'continue' | 'kill'

export type RendererName = 'auto' | 'tree' | 'plain' | 'json'

/** A command line, read as far as that goes without a config: our options, and everything else in its order. */
export interface CommandLine {
  readonly words: readonly string[]
  /** `-T`: true or the pattern. */
  readonly list: boolean | string
  readonly all: boolean
  readonly where: boolean
  readonly plan: boolean
  readonly dryRun: boolean
  readonly filters: Filters
  readonly yes: boolean
  readonly onFailure: OnFailure
  readonly undo: UndoMode
  /** `--resume`: true for the last run, or the id of one. */
  readonly resume: boolean | string
  /** Bodies at once. */
  readonly concurrency: number | undefined
  /** Milliseconds. */
  readonly grace: number | undefined
  /** Milliseconds. */
  readonly lockWait: number | undefined
  readonly renderer: RendererName
  readonly json: boolean
  readonly quiet: boolean
  readonly verbose: boolean
  readonly config: string | undefined
  readonly cwd: string | undefined
}

/** What a run leaves out: `-z`, `-r` and `--skip`, each absent where it is not given. */
export interface Filters {
  readonly hosts?: readonly string[]
  readonly roles?: readonly string[]
  readonly skip?: readonly string[]
}

/** Text to print instead of doing anything: `--help`, `--version`. */
export interface Told {
  readonly text: string
}

const EXAMPLES = `
Examples:
  deployfile -T                                       list the tasks
  deployfile production deploy:migrations             a stage, then tasks
  deployfile db:backup:restore file=some.pgdump       no stage: the default one
  deployfile staging deploy --plan                    what would run, and in which order
  deployfile staging deploy -n                        what it would do on the hosts, with nothing changed
  deployfile --resume                                 go on with the last run, which was killed
  deployfile runs                                     list the runs; runs undo RUN undoes what one has left
`

function program(version: string): Command {
  return new Command('deployfile')
    .usage('[stage] <task...> [key=value...] [options]')
    .description('Runs the tasks of deploy.config.ts on the hosts of a stage.')
    .argument('[words...]')
    .allowUnknownOption()
    .helpOption('-h, --help', 'show this')
    .version(version, '--version', 'show the version')
    .option('-T, --tasks [pattern]', 'list the tasks that have a description; names that contain the pattern')
    .option('-A, --all', 'list tasks without a description, too')
    .option('-W, --where', 'list where tasks are declared')
    .option('--plan', 'print the plan: what would run where, and what it waits for')
    .option('-n, --dry-run', 'change nothing: read what a run would read, and print what it would do')
    .option('-z, --hosts <names>', 'only these hosts of the stage: web1,web2', readNames)
    .option('-r, --roles <names>', 'only hosts that have one of these roles: web,db', readNames)
    .option(
      '--skip <task>',
      'leave a task out, with what only it needs; may be given several times',
      readNames,
    )
    .option('-y, --yes', 'do not ask before a protected stage is changed')
    .addOption(
      new Option(
        '--on-failure <mode>',
        'start nothing new, run what does not depend on it, or cancel what runs',
      )
        .choices(['no-new', 'continue', 'kill'])
        .default('no-new'),
    )
    .addOption(
      new Option('--undo <mode>', 'undo what was done when the run fails, leave it, or ask')
        .choices(['on', 'off', 'ask'])
        .default('on'),
    )
    .option('--resume [run]', 'go on with a run that was killed, or failed with --undo off; default the last')
    .option('--concurrency <n>', 'tasks at once, default 100', readConcurrency)
    .option(
      '--grace <time>',
      "for what must stop before it is given up, such as 2m; default the config's",
      readTime,
    )
    .option(
      '--lock-wait <time>',
      'wait so long for a lock that another run holds on a host; default not at all',
      readTime,
    )
    .addOption(
      new Option('--renderer <name>', 'how a run is shown')
        .choices(['auto', 'tree', 'plain', 'json'])
        .default('auto'),
    )
    .option('--json', 'one JSON event a line; with -T and --plan one JSON document')
    .option('-q, --quiet', 'only failures')
    .option('-v, --verbose', 'also what commands that only read print, and stack traces')
    .option('--config <file>', 'the config, instead of looking for deploy.config.ts')
    .option('--cwd <folder>', 'start from this folder')
    .addHelpText('after', EXAMPLES)
    .exitOverride()
}

function readConcurrency(text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It is a whole number from 1.')
}

/** Of one use of an option, after those of the uses before. */
function readNames(text: string, before: readonly string[] = []): readonly string[] {
  return [
    ...before,
    ...text
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
  ]
}

function readTime(text: string): number {
  const time = milliseconds(text)
  if (time !== undefined) return time
  throw new InvalidArgumentError('It is a time, such as 2m.')
}

interface Parsed extends Filters {
  onFailure: OnFailure
  undo: UndoMode
  resume?: boolean | string
  concurrency?: number
  grace?: number
  lockWait?: number
  tasks?: boolean | string
  all?: boolean
  where?: boolean
  plan?: boolean
  dryRun?: boolean
  yes?: boolean
  renderer: RendererName
  json?: boolean
  quiet?: boolean
  verbose?: boolean
  config?: string
  cwd?: string
}

/** Every long option, to refuse inputs of the same name and to suggest the right one. */
export function optionNames(): string[] {
  return [...program('').options.flatMap((option) => option.long ?? []), '--help']
}

/**
 * Reads the arguments after the program's name.
 * @throws Problem `OPTION_INVALID` (usage)
 */
export function readCommandLine(argv: readonly string[], version: string): CommandLine | Told {
  let told = ''
  const command = program(version).configureOutput({
    writeOut: (text) => (told += text),
    writeErr: () => undefined,
    outputError: () => undefined,
  })
  try {
    // `--resume confirm=NAME` means the last run: a run is named by `--resume=RUN` alone.
    command.parse(
      argv.map((word) => (word === '--resume' ? '--resume=' : word)),
      { from: 'user' },
    )
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return { text: told }
    throw new Problem('usage', 'OPTION_INVALID', error.message.replace(/^error: /, ''), {
      hint: 'deployfile --help lists the options.',
    })
  }
  const options = command.opts<Parsed>()
  const { renderer, json = false, hosts, roles, skip } = options
  if (json && renderer !== 'auto' && renderer !== 'json') {
    throw new Problem('usage', 'OPTION_INVALID', `--json and --renderer ${renderer} contradict each other`, {
      hint: 'Leave one of them out.',
    })
  }
  return {
    words: command.args,
    list: options.tasks ?? (options.all === true || options.where === true),
    all: options.all ?? false,
    where: options.where ?? false,
    plan: options.plan ?? false,
    dryRun: options.dryRun ?? false,
    filters: { ...(hosts && { hosts }), ...(roles && { roles }), ...(skip && { skip }) },
    yes: options.yes ?? false,
    onFailure: options.onFailure,
    undo: options.undo,
    resume: options.resume === '' ? true : (options.resume ?? false),
    concurrency: options.concurrency,
    grace: options.grace,
    lockWait: options.lockWait,
    renderer: json ? 'json' : renderer,
    json: json || renderer === 'json',
    quiet: options.quiet ?? false,
    verbose: options.verbose ?? false,
    config: options.config,
    cwd: options.cwd,
  }
}

/** Filters as they are typed. */
export function filterWords({ hosts = [], roles = [], skip = [] }: Filters): readonly string[] {
  return [
    ...(hosts.length > 0 ? [`--hosts ${hosts.join(',')}`] : []),
    ...(roles.length > 0 ? [`--roles ${roles.join(',')}`] : []),
    ...skip.map((task) => `--skip ${task}`),
  ]
}

/** The help text, for a command line that asks for nothing. */
export function helpText(version: string): string {
  return program(version).helpInformation()
}
