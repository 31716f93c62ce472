/** Our own commands, in the order of the help. */
export const COMMAND_NAMES = ['init', 'doctor', 'runs', 'exec', 'ssh', 'completion'] as const

export type CommandName = (typeof COMMAND_NAMES)[number]
