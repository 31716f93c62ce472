import { createHmac, randomBytes } from 'node:crypto'
import { mkdir, open, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Problem } from '@deployfile/core'
import { checkHostKey, nameOf } from './host-key.ts'
import { entriesOf, keyType, readKnownHosts } from './known-hosts.ts'
import type { Target } from './target.ts'

/** Two runs may meet the same new host. */
const LOCK_TRIES = 100
const LOCK_PAUSE = 50
/** Writing one line takes no such time: whoever made the lock is gone. */
const LOCK_STALE = 10_000

/**
 * Adds a host's key to the user's known_hosts file, as ssh would: 0600, one line appended in one write, hashed when ssh_config says so.
 * Under a lock and after another look, so that of two runs that meet two different keys only one is believed.
 * @throws Problem `KNOWN_HOSTS_UNWRITABLE` (check): a key that is not remembered would be accepted unseen every time;
 * `HOST_KEY_CHANGED` (check) when somebody has added another one meanwhile
 */
export async function addHostKey(target: Target, key: Buffer): Promise<void> {
  const { knownHostsFiles, hashKnownHosts } = target.settings
  const [file] = knownHostsFiles
  if (file === undefined) throw unwritable(target, 'ssh_config names no known_hosts file', undefined)
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw unwritable(target, `${dirname(file)} cannot be made: ${(cause as Error).message}`, cause)
  }
  const unlock = await lock(target, `${file}.deployfile-lock`)
  try {
    const name = nameOf(target)
    const entries = entriesOf(await readKnownHosts(target.name, knownHostsFiles), name)
    const verdict = checkHostKey(target, entries, key)
    if (verdict instanceof Problem) throw verdict
    if (verdict === 'new') await append(target, file, lineFor(name, key, hashKnownHosts))
  } finally {
    await unlock()
  }
}

export function lineFor(name: string, key: Buffer, hashed: boolean): string {
  const salt = randomBytes(20)
  const hash = hashed
    ? `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`
    : name
  return `${hash} ${keyType(key)} ${key.toString('base64')}\n`
}

async function append(target: Target, file: string, line: string): Promise<void> {
  try {
    const handle = await open(file, 'a+', 0o600)
    try {
      const { size } = await handle.stat()
      const last = Buffer.alloc(1)
      if (size > 0) await handle.read(last, 0, 1, size - 1)
      // A last line without its end would swallow ours.
      const separate = size > 0 && last.toString() !== '\n' ? '\n' : ''
      await handle.appendFile(separate + line)
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (cause) {
    throw unwritable(target, `${file} cannot be written: ${(cause as Error).message}`, cause)
  }
}

async function lock(target: Target, path: string): Promise<() => Promise<void>> {
  for (let attempt = 0; attempt < LOCK_TRIES; attempt++) {
    try {
      await (await open(path, 'wx', 0o600)).close()
      return () => rm(path, { force: true })
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST')
        throw unwritable(target, `${path} cannot be made: ${(cause as Error).message}`, cause)
      const made = await stat(path).catch(() => undefined)
      if (made && Date.now() - made.mtimeMs > LOCK_STALE) await rm(path, { force: true })
      else await pause(LOCK_PAUSE)
    }
  }
  throw unwritable(target, `${path} is held by somebody else`, undefined)
}

function unwritable(target: Target, what: string, cause: unknown): Problem {
  return new Problem(
    'check',
    'KNOWN_HOSTS_UNWRITABLE',
    `${target.name}: its host key is new, and cannot be remembered: ${what}`,
    {
      host: target.name,
      retryable: false,
      hint: "Make it writable, or compare the key and pin it: hostKey: 'SHA256:…' in the config.",
      cause,
    },
  )
}
