/**
 * Reads what core cannot: files, commands and people. Synchronous, because a secret is revealed at the moment of use, in the middle of
 * whatever needs it. Each method gives the text as it is, and throws a `check` Problem `SECRET_MISSING` where there is none.
 */
export interface SecretReader {
  /** A path as the config wrote it; relative ones start at the folder of deploy.config.ts. */
  file(path: string): string
  /** One line of sh, or a program with its arguments. */
  command(command: string | readonly string[]): string
  /** Asks on the terminal, without an echo. `variable`: what can be set where there is nobody to ask. */
  prompt(label: string, variable: string): string
}
