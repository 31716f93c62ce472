import { Problem } from '@deployfile/core'
import { fingerprint, judge, keyType, type KnownKey, knownName, knownTypes } from './known-hosts.ts'
import type { Settings } from './resolve.ts'

/** `ssh-rsa` keys by SHA-2 signatures only; SHA-1 ones can be forged. */
const RSA = ['rsa-sha2-512', 'rsa-sha2-256'] as const
const TYPES = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  ...RSA,
] as const
export type HostKeyAlgorithm = (typeof TYPES)[number]

/** The algorithms to ask for, those of known keys first: a server would else offer a key that nothing can be compared with. */
export function hostKeyAlgorithms(known: readonly KnownKey[], settings: Settings): HostKeyAlgorithm[] {
  const types = knownTypes(known, nameOf(settings)).flatMap((type) => (type === 'ssh-rsa' ? RSA : [type]))
  const isKnown = (type: HostKeyAlgorithm): boolean => types.includes(type)
  return [...TYPES.filter(isKnown), ...TYPES.filter((type) => !isKnown(type))]
}

/** Strict, always: undefined when the key is the host's, else why it is not. Adds nothing to any file. */
export function checkHostKey(
  host: string,
  settings: Settings,
  known: readonly KnownKey[],
  pins: readonly string[] | undefined,
  key: Buffer,
): Problem | undefined {
  const name = nameOf(settings)
  const verdict = judge(known, name, key)
  const offered = `${keyType(key)} ${fingerprint(key)}`
  const at = place(settings)
  if (verdict.status === 'revoked') {
    return new Problem(
      'check',
      'HOST_KEY_REVOKED',
      `${host}: the host key of ${at} is revoked by ${lineOf(verdict.known)}: ${offered}`,
      {
        host,
        hint: 'Whoever answers holds a key that must not be trusted any more. Ask whoever runs this host.',
      },
    )
  }
  if (pins !== undefined) {
    if (pins.some((pin) => fingerprint(key) === pin.replace(/=+$/, ''))) return undefined
    return new Problem(
      'check',
      'HOST_KEY_CHANGED',
      `${host}: the host key of ${at} has changed: hostKey in the config is ${pins.join(' or ')}, it offers ${offered}`,
      { host, hint: `Compare it on the host itself: ${ownFingerprint(key)}. Then put it into hostKey.` },
    )
  }
  if (verdict.status === 'match') return undefined
  if (verdict.status === 'changed') {
    const before = verdict.known
    return new Problem(
      'check',
      'HOST_KEY_CHANGED',
      `${host}: the host key of ${at} has changed: ${lineOf(before)} has ${before.type} ${fingerprint(before.key)}, it offers ${offered}`,
      {
        host,
        hint: `Somebody may be listening in. If the host was set up anew, compare the key on the host itself (${ownFingerprint(key)}), then forget the old one: ssh-keygen -R '${name}' -f ${before.file}`,
      },
    )
  }
  if (verdict.authority) {
    return new Problem(
      'check',
      'SSH_UNSUPPORTED',
      `${host}: the host key of ${at} is unknown, and host certificates (@cert-authority in ${lineOf(verdict.authority)}) are not supported yet`,
      { host, hint: `After comparing it (${offered}), add the key itself: ${addLine(settings, key)}` },
    )
  }
  return new Problem('check', 'HOST_KEY_UNKNOWN', `${host}: the host key of ${at} is unknown: ${offered}`, {
    host,
    hint: `Compare it on the host itself (${ownFingerprint(key)}), then add it: ${addLine(settings, key)}`,
  })
}

function nameOf(settings: Settings): string {
  return knownName(settings.hostname, settings.port, settings.hostKeyAlias)
}

export function place(settings: Settings): string {
  const host = settings.hostname.includes(':') ? `[${settings.hostname}]` : settings.hostname
  return `${host}:${String(settings.port)}`
}

function lineOf(known: KnownKey): string {
  return `${known.file}:${String(known.line)}`
}

function ownFingerprint(key: Buffer): string {
  const short = keyType(key)
    .replace(/^ssh-/, '')
    .replace(/^ecdsa-.*/, 'ecdsa')
  return `ssh-keygen -lf /etc/ssh/ssh_host_${short}_key.pub`
}

function addLine(settings: Settings, key: Buffer): string {
  const file = settings.knownHostsFiles[0] ?? '~/.ssh/known_hosts'
  // An alias is a name that ssh-keyscan cannot look up.
  if (settings.hostKeyAlias !== undefined)
    return `echo '${nameOf(settings)} ${keyType(key)} ${key.toString('base64')}' >> ${file}`
  const type = keyType(key)
    .replace(/^ssh-/, '')
    .replace(/^ecdsa-.*/, 'ecdsa')
  return `ssh-keyscan -p ${String(settings.port)} -t ${type} ${settings.hostname} >> ${file}`
}
