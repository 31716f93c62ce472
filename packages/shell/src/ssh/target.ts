import { setMaxListeners } from 'node:events'
import { availableParallelism } from 'node:os'
import { type Host, type HostKeys, parseAddress, Problem } from '@deployfile/core'
import { type Alike, readAlike, sayOf } from './alike.ts'
import { askSsh, type Inquiry } from './ask-ssh.ts'
import { readConfig } from './config-file.ts'
import { createGate } from './gate.ts'
import { type Settings, settingsFrom } from './settings.ts'

/** A machine to log in to, and the one that it is reached through. */
export interface Target {
  /** The host's name in the config; of a jump host, its address. */
  readonly name: string
  readonly settings: Settings
  /** Fingerprints that take the place of known_hosts. */
  readonly pins: readonly string[] | undefined
  readonly hostKeys: HostKeys
  readonly through: Target | undefined
}

/** Finds out how hosts are reached. One serves a run: ssh is asked once for all hosts that its config treats alike. */
export interface Resolver {
  /**
   * @throws Problem `SSH_CONFIG` (check) when ssh refuses its config or its jumps go in a circle, `SSH_UNSUPPORTED` (check) for what
   * cannot be honoured, `HOST_ADDRESS` (usage)
   */
  target(host: Host): Promise<Target>
}

type Wish = Pick<Inquiry, 'name' | 'alias' | 'user' | 'port'>

/**
 * @param configFile in place of ~/.ssh/config and /etc/ssh/ssh_config
 * @param signal ends what is being asked
 */
export function createResolver(configFile: string | undefined, signal?: AbortSignal): Resolver {
  const say = createSource(configFile, signal)
  const settingsOf = async (wish: Wish): Promise<Settings> =>
    settingsFrom(wish.name, await say(wish), wish.alias)

  /** @param jumps those that a later hop's own ProxyJump names before this one; they beat what ssh_config says of it */
  const resolve = async (
    wish: Wish,
    rules: Rules,
    path: ReadonlyMap<string, string>,
    jumps?: readonly string[],
  ) => {
    const settings = await settingsOf(wish)
    // The same name may lead elsewhere on the other side of a jump; the same name by the same way leads nowhere.
    const step = [wish.alias, settings.user, settings.port, ...(jumps ?? [])].join()
    const next = new Map([...path, [step, `${settings.user}@${settings.hostname}:${String(settings.port)}`]])
    const chain = jumps && jumps.length > 0 ? jumps : settings.jumps
    const last = chain.at(-1)
    if (last === undefined) return { ...rules, name: wish.name, settings, through: undefined }
    if (path.has(step))
      throw new Problem(
        'check',
        'SSH_CONFIG',
        `${rules.host}: the jump hosts go in a circle: ${[...path.values(), path.get(step)].join(' → ')}`,
        { host: rules.host, retryable: false, hint: `See: ssh -G ${wish.alias} | grep -i proxyjump` },
      )
    const through: Target = await resolve(
      wishOf(rules.host, last, last),
      { ...rules, pins: undefined },
      next,
      chain.slice(0, -1),
    )
    return { ...rules, name: wish.name, settings, through }
  }
  return {
    target: async (host) => {
      const wish = wishOf(host.name, host.name, host.address)
      const user = host.user ?? wish.user
      const port = host.port ?? wish.port
      const settings = await settingsOf({ ...wish, user, port })
      const hostKeys = host.hostKeys ?? (settings.acceptNew ? 'accept-new' : 'strict')
      const rules: Rules = { host: host.name, pins: host.hostKey, hostKeys }
      return resolve({ ...wish, user, port }, rules, new Map())
    },
  }
}

interface Rules {
  readonly host: string
  readonly pins: readonly string[] | undefined
  readonly hostKeys: HostKeys
}

function wishOf(host: string, name: string, text: string): Wish {
  const address = parseAddress(text)
  if (typeof address === 'string')
    throw new Problem('usage', 'HOST_ADDRESS', `${host}: ${address}`, { host, retryable: false })
  return { name, alias: address.hostname, user: address.user, port: address.port }
}

/** What ssh says of an alias, asked for as seldom as is right. */
function createSource(
  configFile: string | undefined,
  signal: AbortSignal | undefined,
): (wish: Wish) => Promise<string> {
  const gate = createGate(availableParallelism())
  const forever = new AbortController().signal
  setMaxListeners(0, forever)
  const said = new Map<string, Promise<string>>()
  const ofKind = new Map<string, Promise<{ readonly text: string; readonly alias: string } | undefined>>()
  let alike: Promise<Alike | undefined> | undefined
  let withoutSsh = false

  const ask = async (wish: Wish): Promise<{ text: string; files: readonly string[] }> => {
    const inquiry: Inquiry = { ...wish, configFile }
    const leave = await gate.enter(forever)
    try {
      const answer = withoutSsh ? undefined : await askSsh(inquiry, signal)
      if (answer) return answer
      withoutSsh = true
      return { text: await readConfig(inquiry), files: [] }
    } finally {
      leave()
    }
  }
  const find = async (wish: Wish): Promise<string> => {
    if (!alike) {
      // The first answer tells which files there are; until then nobody knows who is alike.
      const first = ask(wish)
      alike = first.then(
        async ({ text, files }) => {
          const known = await readAlike(files)
          const kind = known?.kindOf(wish.alias)
          if (kind !== undefined && known?.holds(text))
            ofKind.set(kindKey(kind, wish), Promise.resolve({ text, alias: wish.alias }))
          return known
        },
        () => undefined,
      )
      return (await first).text
    }
    const known = await alike
    const kind = known?.kindOf(wish.alias)
    if (!known || kind === undefined) return (await ask(wish)).text
    const key = kindKey(kind, wish)
    const asking = ofKind.get(key)
    const other = asking && (await asking)
    if (other) return sayOf(wish.alias, other.text, other.alias)
    const asked = ask(wish)
    if (!asking)
      ofKind.set(
        key,
        asked.then(
          ({ text }) => (known.holds(text) ? { text, alias: wish.alias } : undefined),
          () => undefined,
        ),
      )
    return (await asked).text
  }
  return (wish) => {
    const key = JSON.stringify([wish.alias, wish.user, wish.port])
    const known = said.get(key)
    if (known) return known
    const found = find(wish)
    said.set(key, found)
    return found
  }
}

const kindKey = (kind: string, { user, port }: Wish): string => JSON.stringify([kind, user, port])
