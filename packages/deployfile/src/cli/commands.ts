import { Problem } from '@deployfile/core'
import type { Place } from '../run/work.ts'
import type { CommandLine } from './grammar.ts'
import type { Terminal } from './terminal.ts'

/** What a command of ours is given. */
export interface Given {
  readonly line: CommandLine
  readonly terminal: Terminal
  /** Where it was started, by `--cwd` too. */
  readonly cwd: string
  /** The config's path. */
  readonly find: () => Promise<string>
  /** The config itself. */
  readonly open: () => Promise<Place>
}

/** Does it, and gives the exit code. */
export type CommandFunction = (given: Given) => Promise<number>

interface Command {
  /** False for those that may run where there is none. */
  readonly needsConfig: boolean
  /** Whether a stage may stand before it. */
  readonly onStage: boolean
  load(): Promise<CommandFunction>
}

const COMMANDS: Readonly<Record<string, Command>> = {
  init: {
    needsConfig: false,
    onStage: false,
    load: async () => (await import('../command/init.ts')).initCommand,
  },
  doctor: {
    needsConfig: false,
    onStage: true,
    load: async () => (await import('../command/doctor.ts')).doctorCommand,
  },
  runs: {
    needsConfig: true,
    onStage: false,
    load: async () => (await import('../command/runs.ts')).runsCommand,
  },
  exec: {
    needsConfig: true,
    onStage: true,
    load: async () => (await import('../command/exec.ts')).execCommand,
  },
  ssh: {
    needsConfig: true,
    onStage: true,
    load: async () => (await import('../command/ssh.ts')).sshCommand,
  },
  completion: {
    needsConfig: false,
    onStage: false,
    load: async () => (await import('../command/completion.ts')).completionCommand,
  },
}

export const COMMAND_NAMES = Object.keys(COMMANDS)

/**
 * Which of our commands is meant, if one is: `deployfile exec …`, `deployfile production exec …`, `deployfile help exec`.
 * @throws Problem `WORD_UNKNOWN` (usage)
 */
export function commandOf(words: readonly string[]): Command | undefined {
  const [first = '', second = ''] = words
  if (Object.hasOwn(COMMANDS, first)) return COMMANDS[first]
  if (!Object.hasOwn(COMMANDS, second)) return undefined
  const command = COMMANDS[second]
  if (first === 'help' || command?.onStage === true) return command
  throw new Problem(
    'usage',
    'WORD_UNKNOWN',
    `'${second}' takes no word before it, and '${first}' stands there`,
    {
      hint: `Write deployfile ${second}; deployfile ${second} --help says what it takes.`,
    },
  )
}

/** The words of a command without its own name: the stage before it, and what stands after it. */
export function wordsOf(
  name: string,
  words: readonly string[],
): { readonly before: string | undefined; readonly after: readonly string[] } {
  const at = words.indexOf(name)
  return { before: at === 1 ? words[0] : undefined, after: words.slice(at + 1) }
}
