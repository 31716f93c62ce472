import { setImmediate } from 'node:timers/promises'
import { type AskHidden, Problem } from '@deployfile/core'
import type { ParsedKey } from 'ssh2'
import { readable } from '../command/order.ts'
import { type KeyFile, readKeyFile, unlockKey } from './key-file.ts'

/** The key files of a run: each is read once, and asked for its passphrase once, however many hosts want it. */
export interface KeyRing {
  /** With its key when it was unlocked; waits while somebody is being asked for its passphrase. */
  file(path: string): Promise<KeyFile | undefined>
  /**
   * Asks for the passphrase of an encrypted key. False: nobody can be asked, or nobody answered.
   * @throws Problem `KEY_PASSPHRASE` (check) after three wrong ones
   */
  unlock(file: KeyFile, host: string): Promise<boolean>
}

/** As often as ssh asks (NumberOfPasswordPrompts). */
const TRIES = 3

export function createKeyRing(ask: AskHidden | undefined): KeyRing {
  const files = new Map<string, Promise<KeyFile | undefined>>()
  const asked = new Map<string, Promise<ParsedKey | undefined>>()
  return {
    async file(path) {
      let reading = files.get(path)
      if (!reading) files.set(path, (reading = readKeyFile(path)))
      const file = await reading
      // Who was asked in vain, or wrongly, is told so where it is wanted; here the key is just still locked.
      const key = await asked.get(path)?.catch(() => undefined)
      return file && key ? { path, key, publicKey: key.getPublicSSH() } : file
    },
    async unlock(file, host) {
      if (!ask) return false
      let asking = asked.get(file.path)
      if (!asking) asked.set(file.path, (asking = askFor(file, ask)))
      try {
        return (await asking) !== undefined
      } catch (error) {
        if (!(error instanceof Wrong)) throw error
        throw new Problem(
          'check',
          'KEY_PASSPHRASE',
          `${host}: none of ${String(TRIES)} passphrases was that of the key ${file.path}`,
          {
            host,
            retryable: false,
            hint: `Try it, or give the key to an agent first: ssh-add ${readable(file.path)}`,
          },
        )
      }
    },
  }
}

class Wrong extends Error {}

async function askFor(file: KeyFile, ask: AskHidden): Promise<ParsedKey | undefined> {
  let before = ''
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const passphrase = await ask({ message: `${before}Passphrase of the key ${file.path}` })
    if (passphrase === undefined || passphrase === '') return undefined
    // The question leaves the screen before the pause that follows.
    await setImmediate()
    const key = unlockKey(file, passphrase)
    if (key) return key
    before = 'That is not it. '
  }
  throw new Wrong()
}
