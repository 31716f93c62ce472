import * as z from 'zod'
import { parseOptions } from '../option/parse-options.ts'
import { restartBySignal, signalShape, type SignalOptions } from './signalled.ts'
import type { RestartStrategy } from './strategy.ts'

export interface UnicornOptions extends SignalOptions {
  /** Below `current`, in a linked folder, or absolute. Default `tmp/pids/unicorn.pid`. */
  readonly pidFile?: string
}

const schema = z.strictObject(signalShape)

// USR2 starts a new master beside the old one, which takes over the pid file; the old one keeps its own as `….oldbin` until QUIT. An
// old one that is still there would be taken for an upgrade that goes on, and unicorn would not start another.
const SCRIPT = String.raw`
old=$pid
look "$file.oldbin"
if [ -n "$pid" ] && [ "$pid" != "$old" ]; then
  step "ending an older unicorn ($pid)"
  kill -s QUIT "$pid"
  while is_program "$pid"; do
    in_time || refuse "an older one ($pid) is still there after $limit seconds"
    nap
  done
fi
step "signalling unicorn ($old)"
kill -s USR2 "$old"
step 'waiting for the new unicorn'
while :; do
  look "$file"
  if [ -n "$pid" ] && [ "$pid" != "$old" ]; then break; fi
  in_time || refuse "no new one has come within $limit seconds; the old one ($old) goes on"
  nap
done
new=$pid
where=$(works_in "$new")
if [ -n "$where" ] && [ "$where" != "$live" ]; then
  kill -s QUIT "$new"
  refuse "the new one would work in $where, and not in $live; the old one goes on"
fi
step "ending the old unicorn ($old)"
# Its own config may have ended it already.
if is_program "$old"; then kill -s QUIT "$old" 2>/dev/null || :; fi
is_program "$new" || refuse "the new one ($new) ended (its log says why)"`

/**
 * Restarts Unicorn without a gap: a new master (USR2), and when it is there, the end of the old one (QUIT).
 * @throws Problem `OPTION_INVALID` (usage)
 */
export function unicorn(options: UnicornOptions = {}): RestartStrategy {
  const { pidFile = 'tmp/pids/unicorn.pid', ...rest } = parseOptions('unicorn', schema, options)
  return {
    name: 'unicorn',
    preview: true,
    restart: (context) =>
      restartBySignal(
        context,
        {
          ...{ program: 'unicorn', pidFile, script: SCRIPT },
          hint: `Its log says more. Unicorn starts in the folder that its config names: working_directory '${context.current}'.`,
        },
        rest,
      ),
  }
}
