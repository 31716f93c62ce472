import { Problem } from '@deployfile/core'
import { CommanderError } from 'commander'
import type { CommandLine, Filters, ListKind, Told } from './command-line.ts'
import { program, type Parsed } from './options.ts'

/**
 * Reads the arguments after the program's name.
 * @throws Problem `OPTION_INVALID` (usage)
 */
export function readCommandLine(argv: readonly string[], version: string): CommandLine | Told {
  let told = ''
  let rest: readonly string[] | undefined
  const command = program(version).configureOutput({
    writeOut: (text) => (told += text),
    writeErr: () => undefined,
    outputError: () => undefined,
  })
  try {
    const end = argv.indexOf('--')
    const own = end === -1 ? argv : argv.slice(0, end)
    rest = end === -1 ? undefined : argv.slice(end + 1)
    // `--resume confirm=NAME` means the last run: a run is named by `--resume=RUN` alone.
    command.parse(
      own.map((word) => (word === '--resume' ? '--resume=' : word)),
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
    rest,
    help: options.help ?? false,
    ...listOf(options),
    all: options.all ?? false,
    plan: options.plan ?? false,
    graph: options.graph,
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

/** @throws Problem `OPTION_INVALID` (usage) for two lists at once */
function listOf(options: Parsed): Pick<CommandLine, 'list' | 'pattern'> {
  const { tasks, describe, prereqs, where, all } = options
  const asked = Object.entries({ where, describe, needs: prereqs, tasks }).filter(([, given]) => given)
  // rake takes -A and -W beside -T.
  const others = asked.filter(([kind]) => kind !== 'tasks')
  if (others.length > 1) {
    throw new Problem('usage', 'OPTION_INVALID', '-D, -P and -W are three different lists', {
      hint: 'Ask for one of them.',
    })
  }
  const pattern = asked.map(([, given]) => given).find((given) => typeof given === 'string')
  const kind = (others[0] ?? asked[0])?.[0] as ListKind | undefined
  return { list: kind ?? (all === true ? 'tasks' : undefined), pattern }
}

/** Filters as they are typed. */
export function filterWords({ hosts = [], roles = [], skip = [] }: Filters): readonly string[] {
  return [
    ...(hosts.length > 0 ? [`--hosts ${hosts.join(',')}`] : []),
    ...(roles.length > 0 ? [`--roles ${roles.join(',')}`] : []),
    ...skip.map((task) => `--skip ${task}`),
  ]
}
