import * as z from 'zod'
import { parseOptions } from '../option/parse-options.ts'
import { restartBySignal, signalShape, type SignalOptions } from './signalled.ts'
import type { RestartStrategy } from './strategy.ts'

export interface PumaOptions extends SignalOptions {
  /** Below `current`, in a linked folder, or absolute. Default `tmp/pids/puma.pid`. */
  readonly pidFile?: string
  /**
   * 'restart' (default, USR2): it starts itself anew, keeping its sockets; requests wait meanwhile, but for one that it
   * has accepted and not read yet, whose connection it resets. 'phased' (USR1): its workers go one
   * after the other, which needs a cluster without `preload_app!` or `prune_bundler`.
   */
  readonly mode?: 'restart' | 'phased'
}

const schema = z.strictObject({ ...signalShape, mode: z.enum(['restart', 'phased']).optional() })

// The process stays the same. Puma starts anew in the folder that its config names: without one it would serve the old release for
// ever, and nothing but this folder tells. In a phased restart only the workers move.
const SCRIPT = String.raw`
signal=$1
step "signalling puma ($pid)"
kill -s "$signal" "$pid"
if [ -z "$(works_in "$pid")" ]; then exit 0; fi
step 'waiting for puma'
while where=$(works_in "$pid"); do
  [ -n "$where" ] || refuse "it ended (its log says why)"
  if [ "$signal" = USR1 ] || [ "$where" = "$live" ]; then exit 0; fi
  in_time || refuse "it still works in $where after $limit seconds, and not in $live"
  nap
done`

/**
 * Restarts Puma by the process in its pid file.
 * @throws Problem `OPTION_INVALID` (usage)
 */
export function puma(options: PumaOptions = {}): RestartStrategy {
  const { mode = 'restart', pidFile = 'tmp/pids/puma.pid', ...rest } = parseOptions('puma', schema, options)
  return {
    name: 'puma',
    preview: true,
    restart: (context) =>
      restartBySignal(
        context,
        {
          ...{ program: 'puma', pidFile, script: SCRIPT, values: [mode === 'phased' ? 'USR1' : 'USR2'] },
          hint: `Puma starts in the folder that its config names: config/puma.rb needs directory '${context.current}'.`,
        },
        rest,
      ),
  }
}
