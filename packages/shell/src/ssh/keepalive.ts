import type { Client } from 'ssh2'
import type { Link } from './link.ts'
import type { Settings } from './settings.ts'

/**
 * How often the other side is asked whether it is there, in milliseconds, and how often in vain before it is not. A host that falls
 * silent is given up after 20 s, so that connecting to it once more for the undo (20 s too) ends within 40 s in all.
 */
const KEEPALIVE = { keepaliveInterval: 5_000, keepaliveCountMax: 3 }
const PATIENCE = 20_000

/** ServerAliveInterval may ask more often, never so seldom that a dead host holds up a run. */
export function keepalive({ keepaliveInterval, keepaliveCount }: Settings): typeof KEEPALIVE {
  if (keepaliveInterval === undefined || keepaliveInterval >= KEEPALIVE.keepaliveInterval) return KEEPALIVE
  const times = Math.floor(PATIENCE / keepaliveInterval) - 1
  return { keepaliveInterval, keepaliveCountMax: Math.min(keepaliveCount ?? times, times) }
}

/** Whether an error says that the other side has not answered for as long as that. */
export function isSilence(error: Error): boolean {
  return error.message === 'Keepalive timeout'
}

/** The silence in seconds after which a link counts as dead. */
export function patience(settings: Settings): number {
  const { keepaliveInterval, keepaliveCountMax } = keepalive(settings)
  return (keepaliveInterval * (keepaliveCountMax + 1)) / 1000
}

/** What ssh2's clients hold, beyond their types. */
interface Inner {
  _resetKA?(): void
  _remoteVer?: string
}

/** Not for each of thousands of packets. */
const OFTEN = 500

/**
 * Whatever the host says is a sign of life, as it is for ssh. ssh2 counts the answers to its own questions only, and on a slow link
 * those wait behind all that is being uploaded.
 */
export function hearEverything(client: Client, { stream }: Link): void {
  const inner = client as unknown as Inner
  let heard = 0
  stream.on('data', () => {
    const now = performance.now()
    if (now - heard < OFTEN) return
    heard = now
    inner._resetKA?.()
  })
}

/**
 * For after the handshake: sshd tells of all its host keys, and ssh2 has it prove each of them by a signature, which costs the host more
 * than the login does and which nobody here asks for. It asks OpenSSH only.
 */
export function askForNoProofs(client: Client): void {
  ;(client as unknown as Inner)._remoteVer = ''
}
