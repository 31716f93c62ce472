import {
  isProblem,
  type Catalog,
  type Finding,
  type Host,
  type Shell,
  type ShellScope,
} from '@deployfile/core'
import { createShells } from '@deployfile/shell'
import type { Found } from './doctor-machine.ts'
import { runCheck, type TaskCheck } from './doctor-tasks.ts'

/** One round trip: each answer is a line `name=value`. Only reads, but for a file of its own that it deletes again. */
const PROBE = `
echo "system=$(uname -sr)"
echo "clock=$(date +%s)"
echo "disk=$(df -Pk . | awk 'NR==2 {print $4}')"
if probe=$(mktemp ./.deployfile-doctor.XXXXXX 2>/dev/null); then rm -f "$probe"; echo writable=yes; else echo "writable=$(pwd)"; fi
for tool in git tar pg_dump; do
  if found=$(command -v "$tool"); then echo "$tool=$found"; else echo "$tool="; fi
done
`

/** Seconds that a clock may be wrong before names of releases come in the wrong order. */
const CLOCK = 60
/** kB. */
const DISK = 1024 * 1024
/** Milliseconds for a host to answer all of it. */
const PATIENCE = 30_000

/** A machine, and what the tasks of its stages look at there. */
export interface Looked {
  readonly host: Host
  readonly checks: readonly TaskCheck[]
}

export interface Around {
  readonly catalog: Catalog
  /** What tasks without `on` look at on this machine. */
  readonly here: readonly TaskCheck[]
  readonly root: string
}

/** Looks at each host, all at the same time. */
export async function checkHosts(
  hosts: readonly Looked[],
  { catalog, here, root }: Around,
): Promise<readonly Found[]> {
  const shells = createShells({ root })
  try {
    const ask = async (where: string, checks: readonly TaskCheck[]): Promise<readonly Found[]> => {
      const found: Found[] = []
      // One after the other: two of them may want to put the same thing right.
      for (const check of checks) {
        const findings = await runCheck(check, catalog, shells, patience(), root)
        found.push(...findings.map((finding) => ({ ...finding, where })))
      }
      return found
    }
    const found = await Promise.all([
      ask('this machine', here),
      ...hosts.map(async ({ host, checks }) => {
        const own = await checkHost(host, shells.remote(host, patience()))
        const reached = own.every(({ what, state }) => what !== 'reachable' || state === 'well')
        return reached ? [...own, ...(await ask(host.name, checks))] : own
      }),
    ])
    return found.flat()
  } finally {
    await shells.close().catch(() => undefined)
  }
}

function patience(): ShellScope {
  return { signal: AbortSignal.timeout(PATIENCE), emit: () => undefined }
}

async function checkHost(host: Host, shell: Shell): Promise<readonly Found[]> {
  const where = host.name
  try {
    const { stdout } = await shell.script(PROBE, [], { reads: true })
    const answers = new Map(stdout.split('\n').map((line) => splitOnce(line)))
    return findingsOf(where, answers, host)
  } catch (thrown) {
    const said = thrown instanceof Error ? thrown.message : String(thrown)
    const hint = isProblem(thrown) ? thrown.details.hint : undefined
    const text = said.startsWith(`${where}: `) ? said.slice(where.length + 2) : said
    return [{ where, what: 'reachable', state: 'wrong', said: text, ...(hint !== undefined && { hint }) }]
  }
}

function findingsOf(where: string, answers: ReadonlyMap<string, string>, host: Host): readonly Found[] {
  const answer = (name: string): string => answers.get(name) ?? ''
  const off = Math.round(Number(answer('clock')) - Date.now() / 1000)
  const free = Number(answer('disk'))
  const writable = answer('writable') === 'yes'
  const tool = (name: string, missing: Finding['state'], hint: string): Found => {
    const found = answer(name)
    return found === ''
      ? { where, what: name, state: missing, said: 'not found', hint }
      : { where, what: name, state: 'well', said: found }
  }
  const needsGit = host.roles.some((role) => role === 'app' || role === 'web')
  return [
    { where, what: 'reachable', state: 'well', said: answer('system') },
    {
      where,
      what: 'clock',
      state: Math.abs(off) > CLOCK ? 'wrong' : 'well',
      said: Math.abs(off) > CLOCK ? `${String(Math.abs(off))} s ${off > 0 ? 'ahead' : 'behind'}` : 'right',
      ...(Math.abs(off) > CLOCK && {
        hint: 'Releases are named by the time: let the host synchronise its clock.',
      }),
    },
    {
      where,
      what: 'disk',
      state: free < DISK ? 'doubtful' : 'well',
      said: `${(free / DISK).toFixed(1)} GB free in the home folder`,
      ...(free < DISK && { hint: 'Less than 1 GB: delete old releases with deploy:cleanup, or make room.' }),
    },
    {
      where,
      what: 'write access',
      state: writable ? 'well' : 'wrong',
      said: writable ? 'the login can write to its home' : `the login cannot write to ${answer('writable')}`,
      ...(!writable && { hint: 'Give the login that folder: sudo chown LOGIN FOLDER' }),
    },
    tool('git', needsGit ? 'wrong' : 'doubtful', 'A release is made with git: sudo apt-get install git'),
    tool('tar', 'doubtful', 'Folders are sent as tar: sudo apt-get install tar'),
    ...(host.roles.includes('db')
      ? [tool('pg_dump', 'doubtful', 'Backups need it: sudo apt-get install postgresql-client')]
      : []),
  ]
}

function splitOnce(line: string): readonly [string, string] {
  const at = line.indexOf('=')
  return at === -1 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)]
}
