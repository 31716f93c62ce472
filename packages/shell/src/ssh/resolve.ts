import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir, hostname as localHostname, userInfo } from 'node:os'
import { type Host, parseAddress, Problem } from '@deployfile/core'

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
  readonly knownHostsFiles: readonly string[]
  readonly hostKeyAlias: string | undefined
  /** 4 or 6 when only one is wanted (AddressFamily). */
  readonly family: 4 | 6 | undefined
  readonly bindAddress: string | undefined
}

/** `ssh -G` runs `Match exec` commands of the user's config; they may ask the network. */
const SSH_TIMEOUT = 10_000

/**
 * @param configFile in place of ~/.ssh/config and /etc/ssh/ssh_config
 * @throws Problem `SSH_CONFIG` (check) when ssh refuses its config, `SSH_UNSUPPORTED` (check) for what cannot be honoured
 */
export async function resolveHost(host: Host, configFile: string | undefined): Promise<Settings> {
  const address = parseAddress(host.address)
  if (typeof address === 'string') throw new Problem('usage', 'HOST_ADDRESS', `${host.name}: ${address}`)
  const user = host.user ?? address.user
  const port = host.port ?? address.port
  const lines = await askSsh(host, [
    ...(configFile === undefined ? [] : ['-F', configFile]),
    ...(user === undefined ? [] : ['-l', user]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    '--',
    address.hostname,
  ])
  if (!lines && configFile !== undefined) {
    throw new Problem(
      'check',
      'SSH_CONFIG',
      `${configFile} cannot be read: it takes the program ssh, which is not here`,
      {
        host: host.name,
        hint: 'Install the OpenSSH client.',
      },
    )
  }
  return settingsFrom(host.name, lines ?? withoutSsh(address.hostname, user, port), address.hostname)
}

/** Undefined when there is no `ssh` on this machine. */
function askSsh(host: Host, args: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    execFile(
      'ssh',
      ['-G', ...args],
      { timeout: SSH_TIMEOUT, maxBuffer: 4 * 1024 * 1024 },
      (error, stdout, stderr) => {
        if (!error) {
          resolve(stdout)
          return
        }
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
          resolve(undefined)
          return
        }
        const said = stderr
          .trim()
          .split('\n')
          .filter((line) => !line.startsWith('Pseudo-terminal'))
        const reason = error.killed ? 'it did not answer within 10 s' : said.join('; ') || error.message
        reject(
          new Problem('check', 'SSH_CONFIG', `${host.name}: ssh cannot read its configuration: ${reason}`, {
            host: host.name,
            hint: `See for yourself: ssh ${['-G', ...args].join(' ')}`,
            cause: error,
          }),
        )
      },
    )
  })
}

function withoutSsh(hostname: string, user: string | undefined, port: number | undefined): string {
  const files = ['id_ed25519', 'id_ecdsa', 'id_rsa'].map((name) => `identityfile ~/.ssh/${name}`)
  return [
    `hostname ${hostname}`,
    `user ${user ?? userInfo().username}`,
    `port ${String(port ?? 22)}`,
    ...files,
    'userknownhostsfile ~/.ssh/known_hosts ~/.ssh/known_hosts2',
    'globalknownhostsfile /etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2',
  ].join('\n')
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

/** What changes who is talked to or who is believed. Ignoring one of these would be worse than stopping. */
const UNSUPPORTED: Readonly<Record<string, string>> = {
  proxyjump: 'ProxyJump',
  proxycommand: 'ProxyCommand',
  certificatefile: 'CertificateFile',
  pkcs11provider: 'PKCS11Provider',
  knownhostscommand: 'KnownHostsCommand',
  revokedhostkeys: 'RevokedHostKeys',
}

export function settingsFrom(name: string, text: string, alias: string): Settings {
  const values = parseSettings(text)
  const first = (key: string): string | undefined => {
    const value = values.get(key)?.[0]
    return value === undefined || value === 'none' ? undefined : value
  }
  for (const [key, keyword] of Object.entries(UNSUPPORTED)) {
    const value = first(key)
    if (value === undefined) continue
    throw new Problem(
      'check',
      'SSH_UNSUPPORTED',
      `${name}: ${keyword} ${value} of ssh_config is not supported yet`,
      {
        host: name,
        hint: `Take it out for this host, for example with 'Host ${alias}' and '${keyword} none' above it.`,
      },
    )
  }
  const hostname = first('hostname') ?? alias
  const port = Number(first('port') ?? 22)
  const user = first('user') ?? userInfo().username
  const tokens: Record<string, string> = {
    '%': '%',
    d: homedir(),
    h: hostname,
    k: first('hostkeyalias') ?? alias,
    l: localHostname(),
    L: localHostname().replace(/\..*/, ''),
    n: alias,
    p: String(port),
    r: user,
    u: userInfo().username,
    i: String(process.getuid?.() ?? 0),
  }
  const expand = (path: string): string =>
    path
      .replace(/^~(?=\/|$)/, homedir())
      .replaceAll(/%(.)/g, (all, token: string) => tokens[token] ?? all)
      .replaceAll(/\$\{(\w+)\}/g, (all, variable: string) => process.env[variable] ?? all)
  const files = (key: string): string[] => splitPaths(values.get(key)?.[0] ?? '').map(expand)
  const family = first('addressfamily')
  return {
    alias,
    hostname,
    port,
    user,
    identityFiles: (values.get('identityfile') ?? []).filter((path) => path !== 'none').map(expand),
    identitiesOnly: first('identitiesonly') === 'yes',
    agent: agentSocket(values.get('identityagent')?.[0], expand),
    knownHostsFiles: [...files('userknownhostsfile'), ...files('globalknownhostsfile')],
    hostKeyAlias: first('hostkeyalias'),
    family: family === 'inet' ? 4 : family === 'inet6' ? 6 : undefined,
    bindAddress: first('bindaddress'),
  }
}

function agentSocket(value: string | undefined, expand: (path: string) => string): string | undefined {
  if (value === 'none') return undefined
  if (value === undefined || value === 'SSH_AUTH_SOCK') return process.env['SSH_AUTH_SOCK'] || undefined
  return value.startsWith('$') && !value.startsWith('${') ? process.env[value.slice(1)] : expand(value)
}

/** `ssh -G` prints a list of paths without quotes: a path with spaces is recognised by being there. */
export function splitPaths(text: string, exists: (path: string) => boolean = existsSync): string[] {
  const words = text.split(' ').filter((word) => word !== '' && word !== 'none')
  const paths: string[] = []
  for (let at = 0; at < words.length;) {
    let end = words.length
    while (end > at + 1 && !exists(words.slice(at, end).join(' '))) end--
    paths.push(words.slice(at, end).join(' '))
    at = end
  }
  return paths
}
