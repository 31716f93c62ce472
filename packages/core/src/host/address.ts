/** The parts of `user@host:port`; what is absent comes from the host's own fields, ssh_config or the defaults. */
export interface Address {
  readonly user?: string
  readonly hostname: string
  readonly port?: number
}

/**
 * Reads `host`, `user@host`, `host:port`, `user@host:port`, `ssh://…`, `[::1]:22` and a bare IPv6 address (which has no port).
 * The user is all up to the last `@`. Returns a sentence when it cannot be read: an address ends up beside options of ssh,
 * so a leading dash, white space and control characters are refused.
 */
export function parseAddress(text: string): Address | string {
  const rest = text.startsWith('ssh://') ? text.slice('ssh://'.length).replace(/\/$/, '') : text
  if (/[\s\u0000-\u001f\u007f]/.test(rest))
    return `the address ${JSON.stringify(text)} contains white space or control characters`
  const at = rest.lastIndexOf('@')
  const user = at === -1 ? undefined : rest.slice(0, at)
  const { hostname, port } = splitPort(rest.slice(at + 1))
  if (user === '' || user?.startsWith('-')) return `the address '${text}' has no usable user before the @`
  if (hostname === '') return `the address '${text}' names no host`
  if (hostname.startsWith('-'))
    return `the address '${text}' starts with a dash, which ssh would take for an option`
  if (port !== undefined && !/^\d+$/.test(port))
    return `the port '${port}' of the address '${text}' is not a number`
  const number = port === undefined ? undefined : Number(port)
  if (number !== undefined && (number < 1 || number > 65535))
    return `the port ${port} of the address '${text}' is not between 1 and 65535`
  return { ...(user !== undefined && { user }), hostname, ...(number !== undefined && { port: number }) }
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
