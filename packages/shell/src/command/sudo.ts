import { quote } from './quote.ts'

/** What sudo is told to ask with, so that a prompt is told from output. It does not hold the mark itself, which means something else. */
export function sudoPrompt(mark: string): string {
  return `[deployfile ${mark.slice(8)}${mark.slice(0, 8)}]`
}

/**
 * sh for the login that runs `inner` as another user, with the same positional parameters. Never waits for a person: without a
 * password it is `sudo -n`; with one, `-S` reads it from standard input, byte by byte (sudo's tgetpass.c), so that what follows is left.
 */
export function bySudo(
  inner: string,
  { user, mark, asks }: { readonly user: string; readonly mark: string; readonly asks: boolean },
): string {
  const words = [
    'sudo',
    ...(asks ? ['-S', '-p', sudoPrompt(mark)] : ['-n']),
    '-H',
    '-u',
    user,
    '--',
    'sh',
    '-c',
  ]
  // sudo speaks English for us to understand; the command gets its own language back.
  const back = [
    'LC_ALL=$1',
    'shift',
    'if [ -n "$LC_ALL" ]; then export LC_ALL; else unset LC_ALL; fi',
    inner,
  ].join('\n')
  return [
    'deployfile_lc=${LC_ALL-}',
    'export LC_ALL=C',
    `exec ${words.map(quote).join(' ')} ${quote(back)} sh "$deployfile_lc" "$@"`,
  ].join('\n')
}
