import type { Phase } from '../event/failure.ts'
import { listed } from '../plan/listed.ts'
import { terminalMissing } from '../port/terminal.ts'
import { Problem } from '../problem/problem.ts'
import { callersOf } from './call-state.ts'
import type { NodeState } from './node-state.ts'
import type { RunState } from './run-state.ts'

/**
 * Lends the terminal to a body that runs alone. What starts later cannot disturb it: a node becomes ready when another one ends, and
 * nothing else runs that could end.
 * @throws Problem (check) `TERMINAL_MISSING`, `TERMINAL_SHARED`
 */
export function lendTerminal<T>(
  run: RunState,
  state: NodeState,
  phase: Phase,
  use: () => Promise<T>,
): Promise<T> {
  const { lendTerminal: lend } = run.options
  const { task } = state.node
  if (!lend) return Promise.reject(terminalMissing(`'${task}'`))
  if (phase !== 'run') {
    const said = `'${task}' wants the terminal in its ${phase}: only run can have it`
    return Promise.reject(
      new Problem('check', 'TERMINAL_SHARED', said, { hint: 'What is cleared up must ask nobody.' }),
    )
  }
  const own = new Set(callersOf(state))
  const others = [...run.byId.values()].filter((one) => one.status === 'running' && !own.has(one))
  if (others.length === 0) return lend(use)
  const names = listed([...new Set(others.map(({ node }) => `'${node.task}'`))])
  const said = `'${task}' wants the terminal while ${names} ${others.length === 1 ? 'is' : 'are'} running`
  return Promise.reject(
    new Problem('check', 'TERMINAL_SHARED', said, {
      hint: `Only one task at a time can have it. Run '${task}' by itself, on one host, or let it need the others.`,
    }),
  )
}
