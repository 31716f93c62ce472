import ssh2, { type BaseAgent, type ParsedKey } from 'ssh2'

const ANSWER_TIMEOUT = 5_000

/** The public keys that an agent holds, and how many more it has of kinds that cannot be used here (certificates, sk- keys). */
export interface Held {
  readonly keys: readonly Buffer[]
  readonly others: number
}

/** Rejects when the agent does not answer. */
export function heldBy(socket: string): Promise<Held> {
  const agent = ssh2.createAgent(socket)
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('it is silent')), ANSWER_TIMEOUT)
    agent.getIdentities((error, keys) => {
      clearTimeout(timer)
      if (error) {
        reject(error)
        return
      }
      const parsed = (keys ?? []).map((key) => ssh2.utils.parseKey(key as Buffer))
      const usable = parsed.filter((key): key is ParsedKey => !(key instanceof Error))
      resolve({ keys: usable.map((key) => key.getPublicSSH()), others: parsed.length - usable.length })
    })
  })
}

/** The agent as one that holds this key only, so that keys are offered in our order. */
export function agentOf(socket: string, key: Buffer): BaseAgent {
  const agent = ssh2.createAgent(socket)
  agent.getIdentities = (callback) => callback(undefined, [key])
  return agent
}

/**
 * An agent that holds a key and never signs: a host is asked whether it would take the key, before a person is asked for its passphrase.
 * `wanted` is called when it would.
 */
export function probe(key: Buffer, wanted: () => void): BaseAgent {
  class Probe extends ssh2.BaseAgent {
    override getIdentities(callback: (error: undefined, keys: Buffer[]) => void): void {
      callback(undefined, [key])
    }
    override sign(_key: unknown, _data: unknown, options: unknown, callback?: (error: Error) => void): void {
      wanted()
      const tell = typeof options === 'function' ? (options as (error: Error) => void) : callback
      tell?.(new Error('the key is locked'))
    }
  }
  return new Probe()
}
