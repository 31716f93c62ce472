import { milliseconds, type Duration } from '@deployfile/core'
import * as z from 'zod'
import { runUserCommand } from '../deploy/user-command.ts'
import { parseOptions } from '../option/parse-options.ts'
import type { RestartStrategy } from './strategy.ts'

export interface CommandStrategyOptions {
  /** What it may take at most. Default: any time. */
  readonly timeout?: Duration
  /** Added to its environment. Never a secret: it is shown. */
  readonly env?: Readonly<Record<string, string>>
}

const schema = z.strictObject({
  timeout: z
    .custom<Duration>((value) => milliseconds(value) !== undefined, "expected a time: '2m'")
    .optional(),
  env: z.record(z.string().regex(/^[A-Za-z_]\w*$/, 'expected the name of a variable'), z.string()).optional(),
})

/**
 * Restarts by a command of your own, run in `current` by sh, which stops at the first of several that fails. A string as `restart` is
 * the same without options.
 * @throws Problem `OPTION_INVALID` (usage)
 */
export function command(text: string, options: CommandStrategyOptions = {}): RestartStrategy {
  const { timeout, env } = parseOptions('command', schema, options)
  parseOptions('command', z.object({ text: z.string().trim().min(1, 'a command cannot be empty') }), { text })
  return {
    name: 'command',
    preview: true,
    async restart({ remote, host, current }) {
      await runUserCommand(
        { remote: remote.with({ ...(timeout !== undefined && { timeout }), ...(env && { env }) }), host },
        current,
        {
          ...{ command: text, what: 'the restart', code: 'RESTART_FAILED' },
          hint: `It ran in ${current}.`,
        },
      )
    },
  }
}
