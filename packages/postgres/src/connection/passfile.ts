import { isSecret, openSecret, Problem, reveal, type Secret } from '@deployfile/core'

export type Password = string | Secret

/** libpq never asks for a password that it has found in a file; a wrong one fails at once where an absent one would prompt, and hang. */
export const CATCH_ALL = '*:*:*:*:-'

/**
 * Before the first use: one that a person has to type is asked for here, where the screen can wait for it.
 * @throws Problem `SECRET_MISSING` (check)
 */
export async function openPassword(password: Password | undefined): Promise<void> {
  if (isSecret(password)) await openSecret(password)
}

/**
 * The line of a password file (documentation of PostgreSQL, 34.16) that answers for every server: the file serves one command and
 * one connection, and a socket's folder or an IPv6 address in the line would have to be spelled exactly as libpq does.
 */
export function passLine(password: Password): string {
  const text = isSecret(password) ? reveal(password) : password
  if (/[\r\n\0]/.test(text)) {
    throw new Problem(
      'usage',
      'DATABASE_PASSWORD_INVALID',
      'the password of the database contains a line break',
      {
        hint: 'libpq cannot be given such a password by a file. Check for a line break at the end of the variable.',
      },
    )
  }
  return `*:*:*:*:${text.replace(/[\\:]/g, '\\$&')}`
}

/** Takes a password out of a text that a program wrote, also where it stands as part of a URL. */
export function withoutPassword(text: string, password: Password | undefined): string {
  const plain = isSecret(password) ? reveal(password) : password
  if (plain === undefined || plain === '') return text
  return text.replaceAll(plain, '***').replaceAll(encodeURIComponent(plain), '***')
}
