import type { AskHidden } from '@deployfile/core'
import type { Output } from '../render/style.ts'
import type { Prompt } from '../run/confirm.ts'
import type { SignalSource } from './signals.ts'

/** Everything of the process that a command touches, so that a test can stand in for it. */
export interface Terminal {
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  readonly stdout: Output
  readonly stderr: Output
  readonly signals: SignalSource
  /** Undefined where nobody can be asked. */
  readonly prompt: Prompt | undefined
  /** For passphrases and passwords; undefined where nobody can be asked. */
  readonly promptHidden?: AskHidden | undefined
  /** Ends the process at once, with a last message that a redirected or hijacked stream cannot swallow. */
  leave(code: number, message: string): void
}

/** CI services set CI; some people set it to false to mean no. */
export function isCi(env: NodeJS.ProcessEnv): boolean {
  const { CI: value } = env
  return value !== undefined && value !== '' && value !== '0' && value !== 'false'
}
