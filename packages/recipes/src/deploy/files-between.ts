import type { OnHost } from './layout.ts'
import { runSteps } from './step.ts'

const SCRIPT = String.raw`
step 'comparing two releases'
list() {
  if [ ! -d "$2" ]; then return 0; fi
  cd -P "$2"
  find . -type f | sed "s,^\./,$1	,"
}
( list one "$1" )
( list other "$2" )`

/** The files below one folder that are not below the other, by name, sorted. A folder that is not there has none. Reads only. */
export async function filesOnlyIn(
  { remote }: OnHost,
  one: string,
  other: string,
): Promise<readonly string[]> {
  const purpose = { title: `compare ${one} with ${other}`, code: 'COMPARE_FAILED', reads: true }
  const { stdout } = await runSteps(remote, purpose, SCRIPT, [one, other])
  const names = (kind: string): readonly string[] =>
    stdout
      .split('\n')
      .filter((line) => line.startsWith(`${kind}\t`))
      .map((line) => line.slice(kind.length + 1))
  const there = new Set(names('other'))
  return names('one')
    .filter((name) => !there.has(name))
    .sort()
}

/** At most ten of them by name: a message is to be read. */
export function listNames(names: readonly string[]): string {
  const shown = names.slice(-10)
  const rest = names.length - shown.length
  return `${shown.map((name) => `  ${name}`).join('\n')}${rest > 0 ? `\n  and ${String(rest)} before them` : ''}`
}
