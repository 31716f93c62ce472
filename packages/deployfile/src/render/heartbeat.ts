import type { Plan, RunEvent } from '@deployfile/core'
import { duration } from './duration.ts'
import { labelOf, onHosts } from './node-label.ts'

/** Milliseconds without a line after which a log says what it waits for: some CI services end what is silent for long. */
const EVERY = 30_000
/** Tasks that are named; the rest is counted. */
const MOST = 4

export interface Heartbeat {
  event(event: RunEvent): void
  /** A line was printed: all is well for another while. */
  heard(): void
  stop(): void
}

/** Says `still running: …` when nothing else was said for half a minute. */
export function heartbeat(plan: Plan, tell: (text: string, at: number) => void): Heartbeat {
  const nodes = new Map([...plan.nodes, ...(plan.onFailure?.nodes ?? [])].map((node) => [node.id, node]))
  const running = new Map<string, number>()
  let timer: NodeJS.Timeout | undefined
  const beat = (): void => {
    const now = Date.now()
    if (running.size > 0) tell(`still running: ${whatRuns(now)}`, now)
    timer = undefined
    wait()
  }
  const wait = (): void => {
    clearTimeout(timer)
    timer = setTimeout(beat, EVERY)
    // A run that is over is not kept from ending.
    timer.unref()
  }
  const whatRuns = (now: number): string => {
    const byLabel = new Map<string, { since: number; hosts: string[] }>()
    for (const [id, since] of running) {
      const node = nodes.get(id)
      if (!node) continue
      const known = byLabel.get(labelOf(node)) ?? { since, hosts: [] }
      byLabel.set(labelOf(node), known)
      if (node.host !== undefined) known.hosts.push(node.host)
    }
    const texts = [...byLabel].map(
      ([label, { since, hosts }]) => `${label}${onHosts(hosts)} for ${duration(now - since)}`,
    )
    const more = texts.length > MOST ? `; and ${String(texts.length - MOST)} more` : ''
    return texts.slice(0, MOST).join('; ') + more
  }
  return {
    event(event) {
      if (event.type === 'node.started') running.set(event.node, event.at)
      if (event.type === 'node.ended') running.delete(event.node)
    },
    heard: wait,
    stop: () => {
      clearTimeout(timer)
    },
  }
}
