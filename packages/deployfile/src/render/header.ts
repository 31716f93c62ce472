import type { GoingOn, RenderContext } from './renderer.ts'
import { count } from './duration.ts'

/** What runs where, and under which id, before anything does. */
export function header({ plan, run, style, goingOn }: RenderContext): string[] {
  const hosts = [...new Set(plan.nodes.flatMap((node) => node.host ?? []))]
  const where =
    hosts.length === 0 ? 'this machine' : hosts.length <= 6 ? hosts.join(', ') : count(hosts.length, 'host')
  const words = [
    ...plan.requested,
    ...Object.entries(plan.from.inputs).map(([key, value]) => `${key}=${shown(value)}`),
  ]
  const title = `${style.bold(`${plan.stage}: ${words.join(' ')}`)}  ${style.dim(`on ${where}`)}`
  return [
    title,
    run.dryRun === true ? 'dry run: nothing is changed' : style.dim(`run ${run.id} by ${run.user}`),
    ...(goingOn ? [goingOnLine(goingOn)] : []),
    ...plan.notes.map((note) => `${style.yellow('note:')} ${note}`),
    '',
  ]
}

function goingOnLine(goingOn: GoingOn): string {
  if (goingOn.mode === 'undo') return 'undoes what was done of it'
  const { done, of } = goingOn
  return `resumes: ${String(done)} of ${count(of, 'task')} ${of === 1 ? 'is' : 'are'} done`
}

/** As it would be typed; what has blanks or line ends in it, in quotes. */
function shown(value: string): string {
  return /^[^\s"'\\\p{Cc}]+$/u.test(value) ? value : JSON.stringify(value)
}
