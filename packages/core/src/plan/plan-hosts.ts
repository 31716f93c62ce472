import type { Host } from '../host/host.ts'
import type { Draft } from './draft.ts'
import type { PlanHost } from './plan.ts'

/** The hosts that the nodes of some drafts run on, by `stage/host`. */
export function hostsOf(drafts: readonly Draft[]): Readonly<Record<string, PlanHost>> {
  const hosts = new Map<string, PlanHost>()
  // Most tasks share their hosts: each is looked at once.
  const seen = new Set<Host>()
  for (const { instances } of drafts) {
    for (const { places } of instances.values()) {
      for (const host of places) {
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
