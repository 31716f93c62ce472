import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'

export interface SshKey {
  readonly privateKeyPath: string
  readonly publicKeyPath: string
  /** `ssh-ed25519 AAAA…`, without a comment. */
  readonly publicKey: string
  /** As ssh prints it: `SHA256:…`. */
  readonly fingerprint: string
}

/** A new ed25519 key without a passphrase, as `path` and `path.pub`. */
export function makeSshKey(path: string): SshKey {
  const keygen = (...args: readonly string[]): string =>
    execFileSync('ssh-keygen', args, {
      cwd: dirname(path),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  keygen('-q', '-t', 'ed25519', '-N', '', '-C', basename(path), '-f', path)
  const publicKeyPath = `${path}.pub`
  const [type = '', body = ''] = readFileSync(publicKeyPath, 'utf8').split(' ')
  const fingerprint = keygen('-l', '-f', publicKeyPath).split(' ')[1] ?? ''
  return { privateKeyPath: path, publicKeyPath, publicKey: `${type} ${body}`, fingerprint }
}
