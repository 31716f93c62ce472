import { Problem, type ForwardFailure, type Host, type Shell } from '@deployfile/core'
import { dirname } from 'node:path'
import type { Connection } from './url.ts'

/** A way from this machine through a host to a database that only the host reaches. */
export interface Tunnel {
  readonly host: Host
  /** The database as the host sees it. */
  readonly seen: Connection
  /** Of all connections so far, oldest first; client programs are told nothing but that a connection has ended. */
  failures(): readonly ForwardFailure[]
  /**
   * Connects to the host, for client programs to come: they wait 10 s for a server, and know nothing of hosts.
   * @throws Problem those of the shell: the host is not to be reached, its key is unknown, …
   */
  reach(signal: AbortSignal): Promise<void>
  /** Also done when the run ends. */
  close(): Promise<void>
}

// What libpq would take over there for what the URL does not say. A socket's name is part of the protocol: .s.PGSQL.<port>.
const DEFAULTS = `
printf '%s\\n' "\${PGUSER:-$(id -un)}"
host=\${1:-\${PGHOST:-}}
port=\${2:-\${PGPORT:-5432}}
for folder in /var/run/postgresql /run/postgresql /tmp; do
  if [ -z "$host" ] && [ -S "$folder/.s.PGSQL.$port" ]; then host=$folder; fi
done
printf '%s\\n%s\\n' "$host" "$port"
`

/**
 * Leads to a database by a unix socket of this machine, in a folder that nobody else may enter: a port of 127.0.0.1 would let in
 * everybody here, and a server may trust whoever comes from that host. libpq speaks no TLS over a unix socket, so where the URL insists on
 * TLS it is a port, with the name that the certificate is for; there the server asks for more than where somebody comes from.
 * @throws Problem `DATABASE_UNREACHABLE` (check), and those of the shell
 */
export async function openTunnel(
  remote: Shell,
  connection: Connection,
): Promise<{ readonly connection: Connection; readonly tunnel: Tunnel }> {
  const seen = await complete(remote, connection)
  const byPath = seen.host.startsWith('/')
  const to = byPath ? { path: `${seen.host}/.s.PGSQL.${seen.port}` } : { host: seen.host, port: seen.port }
  const tls = !byPath && insistsOnTls(connection)
  const door = await remote.forward(to, { as: tls ? 'port' : 'socket', name: `.s.PGSQL.${seen.port}` })
  const { database, user, parameters } = seen
  const here: Connection = tls
    ? {
        ...{ database, user, host: seen.host, port: door.port },
        parameters: { ...parameters, hostaddr: '127.0.0.1' },
      }
    : {
        ...{ database, user, host: dirname(door.path), port: seen.port },
        // A PGHOSTADDR of this machine, or one of its PGSERVICE, would lead past the socket to another server.
        parameters: { ...parameters, hostaddr: '' },
      }
  return {
    connection: here,
    tunnel: {
      ...{ host: remote.host, seen },
      reach: (signal) => door.connect(signal),
      failures: () => door.failures(),
      close: () => door.close(),
    },
  }
}

function insistsOnTls({ parameters }: Connection): boolean {
  return (
    /^(require|verify-ca|verify-full)$/.test(parameters['sslmode'] ?? '') ||
    parameters['channel_binding'] === 'require'
  )
}

type Complete = Connection & { readonly host: string; readonly port: number; readonly user: string }

async function complete(remote: Shell, connection: Connection): Promise<Complete> {
  const { host, port, user } = connection
  if (host !== undefined && user !== undefined) return { ...connection, host, port: port ?? 5432, user }
  const given = [host ?? '', port === undefined ? '' : String(port)]
  const { stdout } = await remote.script(DEFAULTS, given, { reads: true })
  const [login = '', place = '', number = '5432'] = stdout.split('\n')
  if (place === '') {
    const { name } = remote.host
    const message = `${name} has no socket of a PostgreSQL server on port ${number} to reach ${connection.database} by`
    throw new Problem('check', 'DATABASE_UNREACHABLE', message, {
      host: name,
      hint: `Write into the URL where the server is, as ${name} sees it: postgresql://user@localhost:5432/${connection.database}`,
    })
  }
  return { ...connection, host: place, port: Number(number), user: user ?? login }
}

/**
 * What went wrong with a tunnel while a program worked through it, in its place: the program knows only that a connection has ended.
 * @param before how many failures there were when it was started
 */
export function tunnelProblem(tunnel: Tunnel, program: string, before: number): Problem | undefined {
  const failures = tunnel.failures().slice(before)
  // What was refused after a break only follows from it.
  const failure = failures.find(({ kind }) => kind === 'lost') ?? failures.at(-1)
  if (!failure) return undefined
  const { host, seen } = tunnel
  const { kind, reason } = failure
  if (kind === 'lost') {
    const message = `${program} failed: the SSH tunnel through ${host.name} to the database ${seen.database} was lost in the middle (${reason})`
    return new Problem('task', 'TUNNEL_LOST', message, {
      host: host.name,
      hint: 'Look at the network between this machine and that host, then run the command again.',
    })
  }
  const place =
    seen.host?.startsWith('/') === true
      ? `its socket in ${seen.host}`
      : `${seen.host ?? ''}:${seen.port ?? 5432}`
  const message = `${host.name} cannot connect to the database ${seen.database} at ${place}: ${reason}`
  const setting = seen.host?.startsWith('/') === true ? 'AllowStreamLocalForwarding' : 'AllowTcpForwarding'
  const hint = /prohibit/i.test(reason)
    ? `Its sshd forbids tunnels: look at ${setting} in /etc/ssh/sshd_config, and at PermitOpen.`
    : `Check host and port in the URL of this database: they are as ${host.name} sees them.`
  return new Problem('check', 'DATABASE_UNREACHABLE', message, { host: host.name, hint })
}
