import type { Plan, PlanNode, ProblemRecord } from '@deployfile/core'

/**
 * What two failures of one task on two hosts have in common when they are the same failure: all that a person reads of them, without
 * the names and addresses of the hosts and the numbers of processes. Other numbers count: "3 tests failed" is not "5 tests failed".
 */
export function alike(
  plan: Plan,
  node: PlanNode | undefined,
  { code, message, command }: ProblemRecord,
): readonly unknown[] {
  const neutral = (text: string): string => withoutProcess(withoutHost(plan, node, text))
  if (!command) return [code, neutral(message)]
  const { text, exitCode, signal, tail } = command
  return [code, neutral(message), neutral(text), exitCode, signal, ...tail.map(neutral)]
}

function withoutHost(plan: Plan, node: PlanNode | undefined, text: string): string {
  if (node?.host === undefined) return text
  const { address } = plan.hosts[`${node.stage}/${node.host}`] ?? {}
  return [node.host, address].reduce<string>(
    (left, name) => (name === undefined ? left : left.replace(wholeWord(name), '%')),
    text,
  )
}

/** As programs write them: `pid 4711`, `process 4711`, and `sshd[4711]` in a log. */
function withoutProcess(text: string): string {
  return text.replace(/\b(pid|process)([ =:#]*)\d+/gi, '$1$2%').replace(/(?<=\w)\[\d+\]/g, '[%]')
}

function wholeWord(text: string): RegExp {
  return new RegExp(`(?<![\\w.-])${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?![\\w-])`, 'g')
}
