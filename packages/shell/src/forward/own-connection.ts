import { readFile } from 'node:fs/promises'
import type { Socket } from 'node:net'

/**
 * Whether a connection to a port of 127.0.0.1 was made by the user that we run as: Linux says whose each end is. Where no such table is
 * to be had (macOS) everybody's counts as ours.
 */
export async function isOwnConnection({ remotePort = 0, localPort = 0 }: Socket): Promise<boolean> {
  let table: string
  try {
    table = await readFile('/proc/net/tcp', 'utf8')
  } catch {
    return process.platform !== 'linux'
  }
  return userOfConnection(table, remotePort, localPort) === process.getuid?.()
}

/** Of the end that has the port `from` and is connected to the port `to`, both on this machine; undefined when there is none. */
export function userOfConnection(table: string, from: number, to: number): number | undefined {
  const hex = (port: number): string => port.toString(16).toUpperCase().padStart(4, '0')
  // sl local_address rem_address st tx:rx tr:when retrnsmt uid …; the address is in the byte order of the machine.
  const home = '(?:0100007F|7F000001)'
  const line = new RegExp(
    `^ *\\d+: ${home}:${hex(from)} ${home}:${hex(to)} \\S+ \\S+ \\S+ \\S+ +(\\d+) `,
    'm',
  )
  const user = line.exec(table)?.[1]
  return user === undefined ? undefined : Number(user)
}
