import { milliseconds, type UndoMode } from '@deployfile/core'
import { Command, InvalidArgumentError, Option } from 'commander'
import type { Filters, GraphFormat, OnFailure, RendererName } from './command-line.ts'

const BELOW = `
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
`

export function program(version: string): Command {
  return (
    new Command('deployfile')
      .usage('[stage] <task...> [key=value...] [options]')
      .description('Runs the tasks of deploy.config.ts on the hosts of a stage.')
      .argument('[words...]')
      .allowUnknownOption()
      // Of a task or a command, help needs to know more than the options.
      .helpOption(false)
      .option('-h, --help', 'show this; after a task or a command, what that takes')
      .version(version, '--version', 'show the version')
      .option(
        '-T, --tasks [pattern]',
        'list the tasks that have a description; names that contain the pattern',
      )
      .option('-A, --all', 'list tasks without a description, too')
      .option('-D, --describe [pattern]', 'describe tasks in full: inputs, needs, where they run')
      .option('-P, --prereqs [pattern]', 'list what tasks need, as a tree')
      .option('-W, --where [pattern]', 'list where tasks are declared')
      .option('--plan', 'print the plan: what would run where, and what it waits for')
      .addOption(
        new Option('--graph <format>', 'print the plan as a graph').choices(['mermaid', 'dot', 'json']),
      )
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
      .option(
        '--resume [run]',
        'go on with a run that was killed, or failed with --undo off; default the last',
      )
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
          .choices(['auto', 'tree', 'plain', 'json', 'github'])
          .default('auto'),
      )
      .option('--json', 'one JSON event a line; of a list, a plan or a command one JSON document')
      .option('-q, --quiet', 'only failures')
      .option('-v, --verbose', 'also what commands that only read print, and stack traces')
      .option('--config <file>', 'the config, instead of looking for deploy.config.ts')
      .option('--cwd <folder>', 'start from this folder')
      .exitOverride()
  )
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

export interface Parsed extends Filters {
  onFailure: OnFailure
  undo: UndoMode
  resume?: boolean | string
  concurrency?: number
  grace?: number
  lockWait?: number
  tasks?: boolean | string
  all?: boolean
  where?: boolean | string
  describe?: boolean | string
  prereqs?: boolean | string
  graph?: GraphFormat
  help?: boolean
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
  return program('').options.flatMap((option) => option.long ?? [])
}

/** The help text of the program. */
export function helpText(version: string): string {
  return program(version).helpInformation() + BELOW
}

/** The values of an option that takes one of a few. */
export function optionValues(name: string): readonly string[] {
  const option = program('').options.find(({ long, short }) => long === name || short === name)
  return option?.argChoices ?? []
}
