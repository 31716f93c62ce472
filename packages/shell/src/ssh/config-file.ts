import { readdir, readFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { basename, dirname, isAbsolute, join } from 'node:path'
import { Problem } from '@deployfile/core'
import SSHConfig, { type Line, type Match, type Section } from 'ssh-config'
import type { Inquiry } from './ask-ssh.ts'
import { namesHost } from './known-hosts.ts'

const SYSTEM_FILE = '/etc/ssh/ssh_config'
/** As in ssh: a file that includes itself ends somewhere. */
const DEPTH = 16

const KEYS = ['id_rsa', 'id_ecdsa', 'id_ed25519'].map((name) => ['identityfile', `~/.ssh/${name}`] as const)
const KNOWN_HOSTS = [
  ['userknownhostsfile', '~/.ssh/known_hosts ~/.ssh/known_hosts2'],
  ['globalknownhostsfile', '/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2'],
] as const

interface Reading {
  readonly inquiry: Inquiry
  /** Lower-case keywords with their values, in the order found. */
  readonly values: (readonly [keyword: string, value: string])[]
}

interface Source {
  readonly file: string
  /** Where relative names of Include start. */
  readonly folder: string
  readonly depth: number
}

/**
 * ssh_config read by ourselves, for machines without `ssh`: `Host` with patterns, `Match` with all, host, originalhost and user, and
 * `Include` with `*` and `?` in the last part of its paths; `%h` in HostName. Gives what `ssh -G` would print, as far as it is used here.
 * @throws Problem `SSH_UNSUPPORTED` (check) for what takes ssh itself, `SSH_CONFIG` (check) for a file that cannot be read
 */
export async function readConfig(inquiry: Inquiry): Promise<string> {
  const reading: Reading = { inquiry, values: [] }
  // What would stand on ssh's command line beats all files, and the user's own file the system's.
  if (inquiry.user !== undefined) reading.values.push(['user', inquiry.user])
  if (inquiry.port !== undefined) reading.values.push(['port', String(inquiry.port)])
  const own = join(userInfo().homedir, '.ssh')
  if (inquiry.configFile === undefined) {
    await readFrom(reading, { file: join(own, 'config'), folder: own, depth: 0 })
    await readFrom(reading, { file: SYSTEM_FILE, folder: dirname(SYSTEM_FILE), depth: 0 })
  } else await readFrom(reading, { file: inquiry.configFile, folder: own, depth: 0 }, true)

  const { values } = reading
  if (valueOf(reading, 'identityfile') === undefined) values.push(...KEYS)
  for (const entry of KNOWN_HOSTS) if (valueOf(reading, entry[0]) === undefined) values.push(entry)
  const others = values.filter(([keyword]) => keyword !== 'hostname')
  return [['hostname', hostnameOf(reading)], ...others].map((entry) => entry.join(' ')).join('\n')
}

function valueOf({ values }: Reading, keyword: string): string | undefined {
  return values.find(([known]) => known === keyword)?.[1]
}

function hostnameOf(reading: Reading): string {
  const { alias } = reading.inquiry
  return (valueOf(reading, 'hostname') ?? alias).replaceAll(/%([%h])/g, (_, token: string) =>
    token === 'h' ? alias : '%',
  )
}

async function readFrom(reading: Reading, source: Source, must = false): Promise<void> {
  if (source.depth > DEPTH) throw refuse(reading, `${source.file} is included too deep`)
  let text: string
  try {
    text = await readFile(source.file, 'utf8')
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    if (!must && (code === 'ENOENT' || code === 'ENOTDIR')) return
    throw refuse(reading, `${source.file} cannot be read: ${message}`)
  }
  let config: SSHConfig
  try {
    config = SSHConfig.parse(text)
  } catch (cause) {
    throw refuse(reading, `${source.file}: ${(cause as Error).message}`)
  }
  await apply(reading, config, source)
}

async function apply(reading: Reading, lines: readonly Line[], source: Source): Promise<void> {
  for (const line of lines) {
    if (line.type !== SSHConfig.DIRECTIVE) continue
    const keyword = line.param.trim().toLowerCase()
    if (keyword === 'host') {
      const { config } = line as Section
      if (namesHost(wordsOf(line.value).join(','), reading.inquiry.alias.toLowerCase()))
        await apply(reading, config, source)
    } else if (keyword === 'match') {
      const { config } = line as Section
      if (matches(reading, line as Match, source)) await apply(reading, config, source)
    } else if (keyword === 'include') {
      for (const file of await includedBy(reading, wordsOf(line.value), source))
        await readFrom(reading, { ...source, file, depth: source.depth + 1 })
    } else if (keyword === 'canonicalizehostname' && wordsOf(line.value).join('') !== 'no') {
      throw needsSsh(reading, 'CanonicalizeHostname', source)
    } else if (keyword !== '' && !isLate(reading, keyword)) reading.values.push([keyword, textOf(line.value)])
  }
}

/** Of the two ways past a firewall the first counts; only `ProxyJump none` leaves the other one open. */
function isLate(reading: Reading, keyword: string): boolean {
  if (keyword === 'proxyjump') return valueOf(reading, 'proxycommand') !== undefined
  return keyword === 'proxycommand' && (valueOf(reading, 'proxyjump') ?? 'none') !== 'none'
}

function matches(reading: Reading, { criteria }: Match, source: Source): boolean {
  const { alias, user } = reading.inquiry
  const about: Readonly<Record<string, () => string>> = {
    host: () => hostnameOf(reading),
    originalhost: () => alias,
    user: () => user ?? valueOf(reading, 'user') ?? userInfo().username,
  }
  return Object.entries(criteria).every(([name, value]) => {
    if (name === 'all') return true
    const subject = about[name]
    if (!subject) throw needsSsh(reading, `Match ${name}`, source)
    return namesHost(wordsOf(value).join(','), subject().toLowerCase())
  })
}

async function includedBy(reading: Reading, words: readonly string[], source: Source): Promise<string[]> {
  const files: string[] = []
  for (const word of words) {
    const path = word.replace(/^~(?=\/)/, userInfo().homedir)
    const full = isAbsolute(path) ? path : join(source.folder, path)
    if (/[*?[\]{}$]/.test(dirname(full)) || /[[\]{}$]/.test(basename(full)))
      throw needsSsh(reading, `Include ${word}`, source)
    if (!/[*?]/.test(full)) {
      files.push(full)
      continue
    }
    const names = await readdir(dirname(full)).catch((): string[] => [])
    const fitting = names.filter((name) => !name.startsWith('.') && namesHost(basename(full), name))
    files.push(...fitting.sort().map((name) => join(dirname(full), name)))
  }
  return files
}

type Value = string | readonly { readonly val: string; readonly quoted?: boolean }[]

function wordsOf(value: Value): string[] {
  return typeof value === 'string' ? [value] : value.map(({ val }) => val)
}

/** As it would be typed: a ProxyCommand goes on to a shell, with its quotes. */
function textOf(value: Value): string {
  if (typeof value === 'string') return value
  return value.map(({ val, quoted }) => (quoted && /\s/.test(val) ? `"${val}"` : val)).join(' ')
}

function refuse({ inquiry }: Reading, what: string): Problem {
  return new Problem('check', 'SSH_CONFIG', `${inquiry.name}: ${what}`, {
    host: inquiry.name,
    retryable: false,
    hint: 'There is no ssh on this machine, so ssh_config was read without it. Installing the OpenSSH client may help.',
  })
}

function needsSsh({ inquiry }: Reading, what: string, { file }: Source): Problem {
  return new Problem(
    'check',
    'SSH_UNSUPPORTED',
    `${inquiry.name}: ${what} in ${file} takes the program ssh, which is not on this machine`,
    { host: inquiry.name, retryable: false, hint: 'Install the OpenSSH client, or take the line out.' },
  )
}
