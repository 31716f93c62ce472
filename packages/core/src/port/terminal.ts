import { Problem } from '../problem/problem.ts'

/**
 * Lends the terminal of whoever started the run: until what `use` returns has settled, nobody else of the run reads or writes there.
 * Rejects with a `check` problem where it cannot be had, and then never calls `use`.
 */
export type LendTerminal = <T>(use: () => Promise<T>) => Promise<T>

/** @param what needs one: a task or a command, as messages name it */
export function terminalMissing(what: string): Problem {
  return new Problem('check', 'TERMINAL_MISSING', `${what} needs a terminal, and there is none`, {
    hint: 'Start it in a terminal, with its input and output neither redirected nor piped, and without CI=true. Over ssh: ssh -t.',
  })
}
