import type { Duplex } from 'node:stream'
import type { ForwardTarget } from '@deployfile/core'
import type { Client, ClientChannel } from 'ssh2'
import type { Connection } from './connection.ts'
import { unlessAborted } from './gate.ts'

/** Has the host connect to a server; rejects with the host's words, or with why the link to it is gone. */
export async function dial(
  connection: Connection,
  to: ForwardTarget,
  signal: AbortSignal,
  lost: (reason: string) => void,
): Promise<Duplex> {
  let wanted = true
  const opening = new Promise<Duplex>((resolve, reject) => {
    // ssh2 leaves the callbacks of a link that has ended uncalled.
    connection.onLost(() => {
      const reason = connection.lost() ?? ''
      lost(reason)
      reject(new Error(reason))
    })
    const opened = (error: Error | undefined, channel: ClientChannel): void => {
      if (error) reject(error)
      else if (wanted) resolve(channel)
      else channel.close()
    }
    // Both throw at once when the socket is closed already.
    if ('path' in to)
      whateverVendor(connection.client, (client) => client.openssh_forwardOutStreamLocal(to.path, opened))
    else connection.client.forwardOut('127.0.0.1', 0, to.host, to.port, opened)
  })
  try {
    const channel = await unlessAborted(opening, signal)
    channel.on('error', () => undefined)
    return channel
  } catch (error) {
    wanted = false
    throw error
  }
}

/**
 * ssh2 asks only servers that have said they are OpenSSH, and what they have said is forgotten since askForNoProofs. One that knows no
 * such connections refuses it.
 */
function whateverVendor(client: Client, act: (client: Client) => void): void {
  const { config } = client as unknown as { readonly config: { strictVendor: boolean | undefined } }
  const { strictVendor } = config
  config.strictVendor = false
  try {
    act(client)
  } finally {
    config.strictVendor = strictVendor
  }
}
