import type { Host } from './host.ts'

const WHERE = Symbol.for('deployfile.where')

/** A condition on hosts, made by {@link where}; never a bare function, so that a task cannot mistake it for its body. */
export interface Where {
  readonly [WHERE]: true
  readonly matches: (host: Host) => boolean
}

/** A role, several roles (any of them), or a condition. */
export type HostSelector = string | readonly string[] | Where

export interface OnPick {
  readonly role: HostSelector
  /** 'primary': the one host that is marked so, else the first listed. Default: all. */
  readonly pick?: 'all' | 'primary'
  /** Hosts of another stage than the run's. Protection is that stage's own. */
  readonly stage?: string
}

/** Where a task runs. Absent: once, on the control machine. */
export type On = HostSelector | OnPick

export function where(matches: (host: Host) => boolean): Where {
  return { [WHERE]: true, matches }
}

export function isWhere(value: unknown): value is Where {
  return typeof value === 'object' && value !== null && WHERE in value
}

function isPick(on: On): on is OnPick {
  return typeof on === 'object' && !Array.isArray(on) && !isWhere(on)
}

/** The long form of `on`. */
export function normalizeOn(on: On): OnPick {
  return isPick(on) ? on : { role: on }
}

/** The roles that a selector names, for the check that each exists somewhere. */
export function rolesOf(on: On): readonly string[] {
  const { role } = normalizeOn(on)
  if (typeof role === 'string') return [role]
  return isWhere(role) ? [] : role
}

/** The hosts, in the order in which the stage lists them. */
export function selectHosts(on: On, hosts: readonly Host[]): readonly Host[] {
  const { role, pick } = normalizeOn(on)
  const matching = hosts.filter((host) => {
    if (isWhere(role)) return role.matches(host)
    return typeof role === 'string'
      ? host.roles.includes(role)
      : role.some((name) => host.roles.includes(name))
  })
  if (pick !== 'primary') return matching
  const primary = matching.find((host) => host.primary) ?? matching[0]
  return primary ? [primary] : []
}
