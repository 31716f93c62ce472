import type { Host } from '../host/host.ts'
import type { Draft } from './draft.ts'
import type { PlanHost } from './plan.ts'
import type { Places } from './places.ts'

/** The hosts that the nodes of some drafts run on, by `stage/host`. */
export function hostsOf(drafts: readonly Draft[]): Readonly<Record<string, PlanHost>> {
  const hosts = new Map<string, PlanHost>()
  // Most tasks share their lists of hosts, and lists their hosts: each is looked at once.
  const seen = new Set<Host | Places>()
  for (const { placed } of drafts) {
    for (const { instance } of placed.values()) {
      if (seen.has(instance.places)) continue
      seen.add(instance.places)
      for (const host of instance.places) {
        if (!host || seen.has(host)) continue
        seen.add(host)
        hosts.set(`${host.stage}/${host.name}`, planHost(host))
      }
    }
  }
  return Object.fromEntries(hosts)
}

function planHost({ address, user, port, transport, root, roles }: Host): PlanHost {
  return {
    address,
    ...(user !== undefined && { user }),
    ...(port !== undefined && { port }),
    transport,
    ...(root !== undefined && { root }),
    roles,
  }
}
