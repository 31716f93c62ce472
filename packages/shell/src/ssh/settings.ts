import { existsSync } from 'node:fs'
import { hostname as localHostname, userInfo } from 'node:os'
import { parseAddress, Problem } from '@deployfile/core'

/** What is known of a host after its config, ssh_config and the defaults have been asked, in this order. */
export interface Settings {
  /** As ssh was asked: the name in ssh_config. */
  readonly alias: string
  readonly hostname: string
  readonly port: number
  readonly user: string
  readonly identityFiles: readonly string[]
  readonly identitiesOnly: boolean
  /** The agent's socket. */
  readonly agent: string | undefined
  /** The socket of the agent that the host may use (ForwardAgent), which need not be the one that we log in with. */
  readonly forwardAgent: string | undefined
  /** The user's own first: what is accepted is added there. */
  readonly knownHostsFiles: readonly string[]
  readonly hostKeyAlias: string | undefined
  /** StrictHostKeyChecking accept-new. Anything laxer counts as strict. */
  readonly acceptNew: boolean
  /** Names that are added to known_hosts are hashed. */
  readonly hashKnownHosts: boolean
  /** Its IP address must not be known by another key either. */
  readonly checkHostIp: boolean
  /** Addresses to go through, the one nearest to us first (ProxyJump). */
  readonly jumps: readonly string[]
  /** In place of a connection of our own; tokens replaced. */
  readonly proxyCommand: string | undefined
  /** 4 or 6 when only one is wanted (AddressFamily). */
  readonly family: 4 | 6 | undefined
  readonly bindAddress: string | undefined
  /** Milliseconds (ConnectTimeout). */
  readonly connectTimeout: number | undefined
  /** Milliseconds (ServerAliveInterval). */
  readonly keepaliveInterval: number | undefined
  readonly keepaliveCount: number | undefined
  /** What ssh may negotiate here; undefined: no restriction is known. */
  readonly algorithms: Readonly<Record<AlgorithmKind, readonly string[] | undefined>>
  /** Bits that an RSA key must have, a host's or ours (RequiredRSASize); ssh itself takes none with fewer than 1024. */
  readonly rsaBits: number
}

/** `identity`: of the keys that we log in with (PubkeyAcceptedAlgorithms). */
export type AlgorithmKind = 'hostKey' | 'kex' | 'cipher' | 'mac' | 'identity'

/** What changes who is talked to, who is believed or what is offered. Ignoring one of these would be worse than stopping. */
const UNSUPPORTED: Readonly<Record<string, Unsupported>> = {
  certificatefile: { keyword: 'CertificateFile', instead: 'none' },
  pkcs11provider: { keyword: 'PKCS11Provider', instead: 'none' },
  knownhostscommand: { keyword: 'KnownHostsCommand', instead: 'none' },
  revokedhostkeys: { keyword: 'RevokedHostKeys', instead: 'none' },
  bindinterface: { keyword: 'BindInterface', instead: 'none' },
  proxyusefdpass: { keyword: 'ProxyUseFdpass', instead: 'no', fine: /^(no|false)$/ },
  pubkeyauthentication: {
    ...{ keyword: 'PubkeyAuthentication', instead: 'yes', fine: /^(yes|true|unbound|host-bound)$/ },
  },
  preferredauthentications: {
    ...{ keyword: 'PreferredAuthentications', instead: 'publickey', fine: /(^|,)publickey(,|$)/ },
  },
}

interface Unsupported {
  readonly keyword: string
  /** What can be written for one host to have it as if it were not there. */
  readonly instead: string
  /** Values that want nothing else than what is done anyway. */
  readonly fine?: RegExp
}

/** Lower-case keywords; of each the first value counts (ssh_config(5)), but all identity files. */
export function parseSettings(text: string): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, string[]>()
  for (const line of text.split(/\r?\n/)) {
    const space = line.indexOf(' ')
    if (space <= 0) continue
    const key = line.slice(0, space).toLowerCase()
    const known = values.get(key)
    if (known) known.push(line.slice(space + 1))
    else values.set(key, [line.slice(space + 1)])
  }
  return values
}

/**
 * @param text what `ssh -G` prints
 * @throws Problem `SSH_UNSUPPORTED` (check) for what cannot be honoured, `SSH_CONFIG` (check) for what cannot be read
 */
export function settingsFrom(name: string, text: string, alias: string): Settings {
  const values = parseSettings(text)
  const first = (key: string): string | undefined => {
    const value = values.get(key)?.[0]
    return value === undefined || value === 'none' ? undefined : value
  }
  const says = (key: string): boolean => /^(yes|true)$/.test(first(key) ?? '')
  const list = (key: string): readonly string[] | undefined => first(key)?.split(',')
  refuseUnsupported(name, alias, first)
  const me = userInfo()
  const hostname = first('hostname') ?? alias
  const port = Number(first('port') ?? 22)
  const user = first('user') ?? me.username
  const tokens: Record<string, string> = {
    '%': '%',
    d: me.homedir,
    h: hostname,
    i: String(me.uid),
    j: first('proxyjump') ?? '',
    k: first('hostkeyalias') ?? alias,
    l: localHostname(),
    L: localHostname().replace(/\..*/, ''),
    n: alias,
    p: String(port),
    r: user,
    u: me.username,
  }
  const tokensOf = (text: string): string =>
    text.replaceAll(/%(.)/g, (all, token: string) => tokens[token] ?? all)
  const expand = (path: string): string =>
    tokensOf(path.replace(/^~(?=\/|$)/, me.homedir)).replaceAll(
      /\$\{(\w+)\}/g,
      (all, variable: string) => process.env[variable] ?? all,
    )
  const files = (key: string): string[] => splitPaths(values.get(key)?.[0] ?? '').map(expand)
  const jumps = list('proxyjump') ?? []
  for (const jump of jumps) {
    const parsed = parseAddress(jump)
    if (typeof parsed === 'string')
      throw new Problem('check', 'SSH_CONFIG', `${name}: ProxyJump of ssh_config: ${parsed}`, {
        host: name,
        retryable: false,
      })
  }
  const proxyCommand = first('proxycommand')
  const family = first('addressfamily')
  const agent = agentSocket(values.get('identityagent')?.[0], expand)
  const forward = first('forwardagent') ?? 'no'
  const forwardAgent = /^(no|false)$/.test(forward)
    ? undefined
    : /^(yes|true)$/.test(forward)
      ? agent
      : agentSocket(forward, expand)
  return {
    alias,
    hostname,
    port,
    user,
    identityFiles: [...new Set(values.get('identityfile'))].filter((path) => path !== 'none').map(expand),
    identitiesOnly: says('identitiesonly'),
    agent,
    forwardAgent,
    knownHostsFiles: [...files('userknownhostsfile'), ...files('globalknownhostsfile')],
    hostKeyAlias: first('hostkeyalias'),
    acceptNew: first('stricthostkeychecking') === 'accept-new',
    hashKnownHosts: says('hashknownhosts'),
    checkHostIp: says('checkhostip'),
    jumps,
    proxyCommand: proxyCommand === undefined ? undefined : tokensOf(proxyCommand),
    family: family === 'inet' ? 4 : family === 'inet6' ? 6 : undefined,
    bindAddress: first('bindaddress'),
    connectTimeout: milliseconds(first('connecttimeout')),
    keepaliveInterval: milliseconds(first('serveraliveinterval')),
    keepaliveCount: Number(first('serveralivecountmax')) || undefined,
    algorithms: {
      hostKey: list('hostkeyalgorithms'),
      kex: list('kexalgorithms'),
      cipher: list('ciphers'),
      mac: list('macs'),
      // Its name before OpenSSH 8.5 was another.
      identity: list('pubkeyacceptedalgorithms') ?? list('pubkeyacceptedkeytypes'),
    },
    rsaBits: Number(first('requiredrsasize')) || 1024,
  }
}

function refuseUnsupported(name: string, alias: string, first: (key: string) => string | undefined): void {
  for (const [key, { keyword, instead, fine }] of Object.entries(UNSUPPORTED)) {
    const value = first(key)
    if (value === undefined || fine?.test(value) === true) continue
    throw new Problem(
      'check',
      'SSH_UNSUPPORTED',
      `${name}: ${keyword} ${value} of ssh_config is not supported`,
      {
        host: name,
        retryable: false,
        hint: `Take it out for this host, for example with 'Host ${alias}' and '${keyword} ${instead}' above it.`,
      },
    )
  }
}

/** `ssh -G` prints 0 and none where there is no limit; a default of ours then takes its place. */
function milliseconds(seconds: string | undefined): number | undefined {
  const number = Number(seconds)
  return Number.isFinite(number) && number > 0 ? number * 1000 : undefined
}

function agentSocket(value: string | undefined, expand: (path: string) => string): string | undefined {
  if (value === 'none') return undefined
  if (value === undefined || value === 'SSH_AUTH_SOCK') return process.env['SSH_AUTH_SOCK'] || undefined
  return value.startsWith('$') && !value.startsWith('${') ? process.env[value.slice(1)] : expand(value)
}

/** The beginning of a whole path, which the rest of one with a space is not. */
const BEGINS = /^(?:[/~%]|\$\{)/

/**
 * `ssh -G` prints a list of paths without quotes: a path with spaces is recognised by being there, or, where it is yet to be made, by what
 * follows being no beginning of a path.
 */
export function splitPaths(text: string, exists: (path: string) => boolean = existsSync): string[] {
  const words = text.split(' ').filter((word) => word !== '' && word !== 'none')
  const begins = (at: number): boolean => BEGINS.test(words[at] ?? '/')
  const paths: string[] = []
  for (let at = 0; at < words.length;) {
    const to = (end: number): string => words.slice(at, end).join(' ')
    let end = words.length
    while (end > at + 1 && !exists(to(end))) end--
    if (begins(at) && !exists(to(end))) while (!begins(end)) end++
    paths.push(to(end))
    at = end
  }
  return paths
}
