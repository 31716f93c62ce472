import { Problem } from '@deployfile/core'
import { readable } from '../command/order.ts'
import { place } from './connect-problem.ts'
import { fingerprint, judge, keyType, type KnownKey, knownName } from './known-hosts.ts'
import type { Target } from './target.ts'

/** The name that known_hosts knows a target by. */
export function nameOf({ settings }: Target): string {
  return knownName(settings.hostname, settings.port, settings.hostKeyAlias)
}

/**
 * Whether the key is the host's. 'new': nothing is known of it, and the host's config says that it may be added. Else why it is not.
 * Adds nothing to any file.
 * @param entries the host's own lines of known_hosts
 */
export function checkHostKey(
  target: Target,
  entries: readonly KnownKey[],
  key: Buffer,
): 'trusted' | 'new' | Problem {
  const { pins } = target
  const verdict = judge(entries, key)
  const offered = `${keyType(key)} ${fingerprint(key)}`
  const at = place(target)
  if (verdict.status === 'revoked') {
    return refuse(
      target,
      'HOST_KEY_REVOKED',
      `the host key of ${at} is revoked by ${lineOf(verdict.known)}: ${offered}`,
      'Whoever answers holds a key that must not be trusted any more. Ask whoever runs this host.',
    )
  }
  if (pins !== undefined) {
    if (pins.some((pin) => fingerprint(key) === pin.replace(/=+$/, ''))) return 'trusted'
    return refuse(
      target,
      'HOST_KEY_CHANGED',
      `the host key of ${at} has changed: hostKey in the config is ${pins.join(' or ')}, it offers ${offered}`,
      `Compare it on the host itself: ${ownFingerprint(key)}. Then put it into hostKey.`,
    )
  }
  if (verdict.status === 'match') return 'trusted'
  if (verdict.status === 'changed') return changed(target, verdict.known, key)
  if (verdict.authority) {
    return refuse(
      target,
      'SSH_UNSUPPORTED',
      `the host key of ${at} is unknown, and host certificates (@cert-authority in ${lineOf(verdict.authority)}) are not supported`,
      `After comparing it (${offered}), add the key itself: ${addLine(target, key)}`,
    )
  }
  if (target.hostKeys === 'accept-new') return 'new'
  return refuse(
    target,
    'HOST_KEY_UNKNOWN',
    `the host key of ${at} is unknown: ${offered}`,
    `Compare it on the host itself (${ownFingerprint(key)}), then add it: ${addLine(target, key)}`,
  )
}

/** CheckHostIP: a name may be new or lead elsewhere, but its address must not be known by another key. */
export function checkAddressKey(
  target: Target,
  address: string,
  entries: readonly KnownKey[],
  key: Buffer,
): Problem | undefined {
  const verdict = judge(entries, key)
  return verdict.status === 'changed' ? changed(target, verdict.known, key, address) : undefined
}

function changed(target: Target, before: KnownKey, key: Buffer, address?: string): Problem {
  const whose = address === undefined ? place(target) : `the address ${address}`
  const name = address === undefined ? nameOf(target) : knownName(address, target.settings.port, undefined)
  return refuse(
    target,
    'HOST_KEY_CHANGED',
    `the host key of ${whose} has changed: ${lineOf(before)} has ${before.type} ${fingerprint(before.key)}, it offers ${keyType(key)} ${fingerprint(key)}`,
    `Somebody may be listening in. If the host was set up anew, compare the key on the host itself (${ownFingerprint(key)}), then forget the old one: ssh-keygen -R '${name}' -f ${readable(before.file)}`,
  )
}

function refuse({ name }: Target, code: string, message: string, hint: string): Problem {
  return new Problem('check', code, `${name}: ${message}`, { host: name, retryable: false, hint })
}

function lineOf(known: KnownKey): string {
  return `${known.file}:${String(known.line)}`
}

function shortType(key: Buffer): string {
  return keyType(key)
    .replace(/^ssh-/, '')
    .replace(/^ecdsa-.*/, 'ecdsa')
}

function ownFingerprint(key: Buffer): string {
  return `ssh-keygen -lf /etc/ssh/ssh_host_${shortType(key)}_key.pub`
}

function addLine(target: Target, key: Buffer): string {
  const { settings, through } = target
  const [first] = settings.knownHostsFiles
  const file = first === undefined ? '~/.ssh/known_hosts' : readable(first)
  // ssh-keyscan can look up no alias, and cannot get past a jump host or a ProxyCommand.
  if (settings.hostKeyAlias !== undefined || through || settings.proxyCommand !== undefined)
    return `echo '${nameOf(target)} ${keyType(key)} ${key.toString('base64')}' >> ${file}`
  return `ssh-keyscan -p ${String(settings.port)} -t ${shortType(key)} ${settings.hostname} >> ${file}`
}
