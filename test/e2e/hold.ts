import { chmodSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Programs that can be held, so that a test finds a command at exactly one step. Its folder goes first in the PATH. A program that
 * was held and is let go ends with all that ran beside it, as when the power had failed.
 */
export interface Hold {
  /** psql is held when it has ended, by what it was given to run; the others before they begin, by their arguments. */
  arm(program: 'psql' | 'mv' | 'sha256sum', pattern: string): void
  held(): boolean
  letGo(): void
}

/** `bin`: the folder of PostgreSQL's programs. */
export function makeHold(path: string, bin: string): Hold {
  const [armed, held] = ['armed', 'held'].map((name) => join(path, `.${name}`)) as [string, string]
  mkdirSync(path)
  const start = `#!/bin/sh
PATH=\${PATH#${path}:}
hold() {
  if ! mv '${armed}' '${armed}.done' 2>/dev/null; then return; fi
  : >'${held}'
  while [ -f '${held}' ]; do sleep 0.05; done
  kill -9 0
}
`
  const before = (program: string): string => `${start}
if [ -f '${armed}' ] && read -r only pattern <'${armed}' && [ "$only" = ${program} ]; then
  if echo "$*" | grep -Eq -e "$pattern"; then hold; fi
fi
exec ${program} "$@"
`
  // What it is given goes on to it as it comes: some sessions are kept open.
  const after = `${start}
if [ ! -f '${armed}' ]; then exec ${bin}/psql "$@"; fi
given=$(mktemp)
tee "$given" | ${bin}/psql "$@"
code=$?
if [ -f '${armed}' ] && read -r only pattern <'${armed}' && [ "$only" = psql ]; then
  if grep -Eq -e "$pattern" "$given"; then rm -f "$given"; hold; fi
fi
rm -f "$given"
exit "$code"
`
  for (const program of ['mv', 'sha256sum', 'psql']) {
    writeFileSync(join(path, program), program === 'psql' ? after : before(program))
    chmodSync(join(path, program), 0o755)
  }
  // Programs of PostgreSQL are used from one folder that has all of them.
  for (const program of ['pg_dump', 'pg_restore']) symlinkSync(join(bin, program), join(path, program))
  return {
    arm: (program, pattern) => writeFileSync(armed, `${program} ${pattern}\n`),
    held: () => existsSync(held),
    letGo: () => rmSync(held, { force: true }),
  }
}
