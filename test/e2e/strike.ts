import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Running } from './command.ts'

/**
 * What is struck when a command on a host has ended: 'tool' is the process of deployfile, and what it started on the hosts goes on
 * without it; 'both' is that and the script that ran the command, as if the host's power had failed as well. 'none' only holds the
 * script until `letGo()`; 'disk' fails the command as a full disk does.
 */
export type Struck = 'tool' | 'both' | 'none' | 'disk'

/** Counts the commands that scripts run on the hosts, and strikes after one of them. Its folder goes first in the hosts' PATH. */
export interface Strike {
  /** The next run is struck when this many commands have ended, or this many of one program. */
  arm(after: number, struck: Struck, program?: string): void
  /** Who is to be killed. */
  aim(running: Running): void
  /** Commands that have ended since it was armed. */
  count(): number
  /** Their names, in the order of their ends. */
  names(): readonly string[]
  disarm(): void
  /** The home of the host whose script is held; undefined while none is. */
  held(): string | undefined
  letGo(): void
}

const PROGRAMS = [
  ...['mkdir', 'rm', 'rmdir', 'mv', 'ln', 'git', 'tar', 'tail', 'grep', 'date', 'readlink', 'chmod'],
  ...['sh', 'touch', 'find', 'df', 'cat'],
]

export function makeStrike(path: string): Strike {
  const [log, armed, pid, held] = ['log', 'armed', 'pid', 'held'].map((name) => join(path, `.${name}`)) as [
    string,
    string,
    string,
    string,
  ]
  mkdirSync(path)
  // The command runs as it would without this. Only one that finds the file strikes, and it takes the file away first.
  const script = (program: string): string => `#!/bin/sh
PATH=\${PATH#${path}:}
${program} "$@"
code=$?
if [ -f '${armed}' ]; then
  echo ${program} >> '${log}'
  read -r after struck only < '${armed}'
  # Only one of that program may strike: another's may see the count before the one that made it full does.
  if [ "\${only:-${program}}" = ${program} ] && [ "$(grep -cx "\${only:-.*}" '${log}')" -ge "$after" ] &&
    mv '${armed}' '${armed}.done' 2>/dev/null; then
    if [ "$struck" = none ]; then
      echo "$HOME" > '${held}.new'
      mv '${held}.new' '${held}'
      while [ -f '${held}' ]; do sleep 0.05; done
      exit "$code"
    fi
    if [ "$struck" = disk ]; then
      echo '${program}: write error: No space left on device' >&2
      exit 1
    fi
    kill -9 "$(cat '${pid}')"
    if [ "$struck" = both ]; then kill -9 0; fi
  fi
fi
exit "$code"
`
  for (const program of PROGRAMS) {
    writeFileSync(join(path, program), script(program))
    chmodSync(join(path, program), 0o755)
  }
  const names = (): readonly string[] => readFileSync(log, 'utf8').split('\n').slice(0, -1)
  return {
    arm(after, struck, program = '') {
      writeFileSync(log, '')
      writeFileSync(armed, `${String(after)} ${struck} ${program}\n`)
    },
    aim: (running) => writeFileSync(pid, String(running.pid)),
    names,
    count: () => names().length,
    disarm: () => rmSync(armed, { force: true }),
    held: () => (existsSync(held) ? readFileSync(held, 'utf8').trim() : undefined),
    letGo: () => rmSync(held, { force: true }),
  }
}
