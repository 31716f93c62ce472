import { Problem } from '@deployfile/core'
import type { CommandFunction } from '../command/given.ts'
import type { CommandName } from './command-names.ts'

interface Command {
  /** False for those that may run where there is none. */
  readonly needsConfig: boolean
  /** Whether a stage may stand before it. */
  readonly onStage: boolean
  load(): Promise<CommandFunction>
}

const BY_NAME: Readonly<Record<CommandName, Command>> = {
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

const COMMANDS: Readonly<Record<string, Command>> = BY_NAME

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
