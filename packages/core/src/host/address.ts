/** The parts of `user@host:port`; what is absent comes from the host's own fields, ssh_config or the defaults. */
export interface Address {
  readonly user?: string
  readonly hostname: string
  readonly port?: number
}

// A name ends up beside options of ssh, and in a ProxyCommand inside a shell (CVE-2023-51385): no name needs any of these.
const UNSAFE = /['"`$\\;&<>|(){},]/

/**
 * Reads `host`, `user@host`, `host:port`, `user@host:port`, `ssh://…`, `[::1]:22` and a bare IPv6 address (which has no port).
 * The user is all up to the last `@`. Returns a sentence when it cannot be read.
 */
export function parseAddress(text: string): Address | string {
  const isUrl = /^ssh:\/\//i.test(text)
  const rest = isUrl ? text.slice('ssh://'.length).replace(/\/$/, '') : text
  if (/[\s\u0000-\u001f\u007f-\u009f]/.test(rest))
    return `the address ${JSON.stringify(text)} contains white space or control characters`
  const at = rest.lastIndexOf('@')
  const user = at === -1 ? undefined : decode(rest.slice(0, at), isUrl)
  const { hostname, port } = splitPort(rest.slice(at + 1))
  const bad = badUser(text, user) ?? badHostname(text, hostname)
  if (bad !== undefined) return bad
  if (port !== undefined && !/^\d+$/.test(port))
    return `the port '${port}' of the address '${text}' is not a number`
  const number = port === undefined ? undefined : Number(port)
  if (number !== undefined && (number < 1 || number > 65535))
    return `the port ${port} of the address '${text}' is not between 1 and 65535`
  return { ...(user !== undefined && { user }), hostname, ...(number !== undefined && { port: number }) }
}

function badUser(text: string, user: string | undefined): string | undefined {
  if (user === undefined) return undefined
  if (user === '' || user.startsWith('-')) return `the address '${text}' has no usable user before the @`
  if (user.includes(':'))
    return `the address of '${user.split(':')[0]}@…' has a password in it: log in with a key`
  if (UNSAFE.test(user))
    return `the user of the address '${text}' has characters that mean something to a shell`
  return undefined
}

function badHostname(text: string, hostname: string): string | undefined {
  if (hostname === '') return `the address '${text}' names no host`
  if (hostname.startsWith('-'))
    return `the address '${text}' starts with a dash, which ssh would take for an option`
  if (hostname.includes('/')) return `the address '${text}' has a path: it ends with the host or the port`
  if (/[[\]]/.test(hostname)) return `the address '${text}' has brackets that do not enclose an IPv6 address`
  if (UNSAFE.test(hostname))
    return `the host of the address '${text}' has characters that mean something to a shell`
  return undefined
}

function decode(user: string, isUrl: boolean): string {
  if (!isUrl) return user
  try {
    return decodeURIComponent(user)
  } catch {
    return user
  }
}

function splitPort(text: string): { hostname: string; port?: string } {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(text)
  if (bracketed)
    return { hostname: bracketed[1] ?? '', ...(bracketed[2] !== undefined && { port: bracketed[2] }) }
  const colon = text.indexOf(':')
  // More than one colon without brackets is a bare IPv6 address.
  if (colon === -1 || text.indexOf(':', colon + 1) !== -1) return { hostname: text }
  return { hostname: text.slice(0, colon), port: text.slice(colon + 1) }
}
