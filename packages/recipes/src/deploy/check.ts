import { parseAddress, Problem, type Host } from '@deployfile/core'
import { goodReleases, readState, STATE_SCRIPT, type HostState } from './host-state.ts'
import { runLocated, type Layout, type OnHost } from './layout.ts'
import type { StageOptions } from './stage-options.ts'

/** Kilobytes and inodes below which nothing is begun: a disk that fills up half-way leaves half of everything. */
const LEAST_ROOM = 64 * 1024
const LEAST_INODES = 2000

// Finds everything that is wrong in one round trip and changes nothing. $1 deployTo, $2 programs, $3 a group, $4 how many linked files, then the files, then
// the folders. A folder that is not there yet is fine where the nearest one above it may be written to.
const CHECK_SCRIPT = String.raw`
to=$1 programs=$2 group=$3 files=$4
shift 4
fault() { printf 'fault\t%s\t%s\n' "$1" "$2"; }
writable() {
  place=$1
  while [ ! -e "$place" ] && [ ! -L "$place" ] && [ "$place" != / ]; do place=$(dirname "$place"); done
  if [ ! -d "$place" ]; then fault not-a-folder "$place"
  elif [ ! -w "$place" ] || [ ! -x "$place" ]; then fault not-writable "$place"; fi
}
step 'looking for programs'
for program in $programs; do
  command -v "$program" >/dev/null || fault no-program "$program"
done
if [ -n "$group" ] && [ "$(id -u)" -ne 0 ]; then
  case " $(id -Gn) " in *" $group "*) ;; *) fault not-in-group "$group" ;; esac
fi
step 'looking at the folders'
writable "$to"
top=$place
for dir in releases shared repo .deployfile; do
  if [ -e "$to/$dir" ] || [ -L "$to/$dir" ]; then writable "$to/$dir"; fi
done
if [ -e "$to/current" ] && [ ! -L "$to/current" ]; then fault current-is-no-link "$to/current"; fi
step 'looking for room'
place=$top
room=$(df -Pk "$place" 2>/dev/null | awk 'NR == 2 { print $4 }') || room=
if [ -n "$room" ] && [ "$room" -lt ${String(LEAST_ROOM)} ]; then fault no-room "$room"; fi
inodes=$(df -Pi "$place" 2>/dev/null | awk 'NR == 2 && $2 > 0 { print $4 }') || inodes=
if [ -n "$inodes" ] && [ "$inodes" -lt ${String(LEAST_INODES)} ]; then fault no-inodes "$inodes"; fi
printf 'now\t%s\n' "$(date +%s)"
printf 'mirror\t%s\n' "$(git -C "$to/repo" config --get remote.origin.url 2>/dev/null || :)"
step 'looking at linked files'
for path in "$@"; do
  flat=$(basename "$path")
  if [ "$files" -gt 0 ]; then
    files=$((files - 1))
    if [ ! -f "$to/shared/$path" ]; then fault no-linked-file "$path"; fi
  elif [ -e "$to/shared/$path" ] || [ -L "$to/shared/$path" ]; then
    if [ ! -d "$to/shared/$path" ]; then fault not-a-folder "$to/shared/$path"; fi
  elif [ "$flat" != "$path" ] && [ -d "$to/shared/$flat" ]; then
    fault flat-shared "$path"
  fi
done
${STATE_SCRIPT}`

/**
 * Is the host ready to be deployed to? Reads only; the folders are made when the release is. What it fetches by itself is asked for
 * where it has no mirror of it yet; `alone`, when nothing else of a deploy comes after, in any case, and the branch with it.
 * @throws Problem (check) `HOST_NOT_READY` with everything that is missing on this host; `REPOSITORY_UNREACHABLE`, `BRANCH_UNKNOWN`
 */
export async function checkHost(context: OnHost, options: StageOptions, alone = false): Promise<HostState> {
  const { host, remote, log } = context
  const { linkedDirs, source, group, deployTo } = options
  const linkedFiles = await neededFiles(context, options)
  const programs = [...source.programs, 'tar'].join(' ')
  const values = [programs, group ?? '', String(linkedFiles.length), ...linkedFiles, ...linkedDirs]
  const purpose = { title: 'check the host', code: 'CHECK_FAILED', reads: true }
  const { stdout, layout } = await runLocated(remote, purpose, CHECK_SCRIPT, deployTo, values)
  const faults = readFaults(stdout, host, layout, linkedDirs)
  if (faults.length > 0) throw notReady(host, faults)
  const mirrored = /^mirror\t(.*)$/m.exec(stdout)?.[1]
  if (alone || mirrored !== source.git?.repository) await source.reach?.(context, alone)
  const wrong = readClock(stdout)
  if (wrong !== undefined) log(`the clock of ${host.name} is ${wrong} that of this machine`)
  return readState(stdout)
}

/** Linked files that must be on the host already: they are not optional, and there is none here that would be put there. */
async function neededFiles({ local }: OnHost, { linkedFiles }: StageOptions): Promise<readonly string[]> {
  const needed: string[] = []
  for (const { path, optional, upload } of linkedFiles) {
    if (optional !== true && (upload === undefined || !(await local.exists(upload)))) needed.push(path)
  }
  return needed
}

/** Seconds by which clocks may differ without a word: releases are named by the time here, and kept in order in any case. */
const CLOCK = 120

function readClock(stdout: string): string | undefined {
  const now = Number(/^now\t(\d+)$/m.exec(stdout)?.[1] ?? Number.NaN)
  const ahead = Math.round(now - Date.now() / 1000)
  if (!(Math.abs(ahead) > CLOCK)) return undefined
  const minutes = Math.round(Math.abs(ahead) / 60)
  return `${String(minutes)} minutes ${ahead > 0 ? 'ahead of' : 'behind'}`
}

/** Says what is wrong, and what to do about it. */
type Fault = readonly [what: string, hint: string]

function readFaults(
  stdout: string,
  host: Host,
  layout: Layout,
  linkedDirs: readonly string[] = [],
): readonly Fault[] {
  return stdout.split('\n').flatMap((line) => {
    const [kind, fault = '', what = ''] = line.split('\t')
    if (kind !== 'fault') return []
    // A folder that is linked by that very name is no relic.
    if (fault === 'flat-shared' && linkedDirs.includes(lastOf(what))) return []
    return [faultOf(fault, what, host, layout)]
  })
}

const lastOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

function faultOf(fault: string, what: string, host: Host, { shared, current }: Layout): Fault {
  switch (fault) {
    case 'no-program':
      return [`${what} is not installed`, `Install it there: apt-get install ${what}`]
    case 'no-linked-file':
      return [`the linked file ${shared}/${what} is missing`, putThere(host, what, `${shared}/${what}`)]
    case 'not-in-group':
      return [
        `its login is not in the group '${what}'`,
        `Add it there: usermod -aG ${what} ${host.user ?? 'LOGIN'}, then deploy again.`,
      ]
    case 'current-is-no-link':
      return [
        `${current} is not a link`,
        `Move it away there, then deploy again: mv ${current} ${current}.old`,
      ]
    case 'flat-shared':
      return flatShared(what, shared)
    case 'no-room':
      return [
        `there are only ${String(Math.floor(Number(what) / 1024))} MB free for ${shared.replace(/\/shared$/, '')}`,
        'Make room there: old files in shared, or keepReleases.',
      ]
    case 'no-inodes':
      return [
        `there are only ${what} inodes free for ${shared.replace(/\/shared$/, '')}`,
        'Remove files there: many small ones use inodes up before the disk is full.',
      ]
    case 'not-a-folder':
      return [`${what} is not a folder`, `Move ${what} away there.`]
    default:
      return [`${what} may not be written to`, `Make it writable there for ${host.user ?? 'the login'}.`]
  }
}

/** Capistrano 2 kept `public/system` in `shared/system`; a new, empty `shared/public/system` would make uploads vanish. */
function flatShared(path: string, shared: string): Fault {
  const [name, parent] = [lastOf(path), path.slice(0, path.lastIndexOf('/'))]
  return [
    `${shared}/${name} is where Capistrano 2 kept ${path}; now that is ${shared}/${path}, which is not there`,
    `Move it, and leave a link for the release that is live: cd ${shared} && mkdir -p ${parent} && mv ${name} ${path} && ln -s ${path} ${name}\nWhere the two have nothing to do with each other: mkdir -p ${shared}/${path}`,
  ]
}

function putThere(host: Host, file: string, target: string): string {
  const folder = target.slice(0, target.lastIndexOf('/'))
  if (host.transport === 'local') return `Put it there: mkdir -p ${folder} && cp ${file} ${target}`
  const parsed = parseAddress(host.address)
  const { hostname, user, port } = typeof parsed === 'string' ? { hostname: host.name } : parsed
  const [login, number] = [host.user ?? user, host.port ?? port]
  const at = login === undefined ? hostname : `${login}@${hostname}`
  const [p, P] = number === undefined ? ['', ''] : [` -p ${number}`, ` -P ${number}`]
  return `Put it there: ssh${p} ${at} mkdir -p ${folder} && scp${P} ${file} ${at}:${target}`
}

function notReady(host: Host, faults: readonly Fault[]): Problem {
  const [first] = faults
  const whats = faults.map(([what]) => what)
  const message =
    faults.length === 1 ? `${host.name}: ${whats.join()}` : `${host.name} is not ready: ${whats.join('; ')}`
  const hints = [...new Set(faults.map(([, hint]) => hint))]
  return new Problem('check', 'HOST_NOT_READY', message, {
    host: host.name,
    hint: faults.length === 1 ? first?.[1] : hints.join('\n'),
  })
}

/**
 * May the host go back? Reads only, and asks no git server.
 * @throws Problem (check) `NO_OLDER_RELEASE` where `current` has nothing before it, `HOST_NOT_READY` where it is no link
 */
export async function checkRollback({ host, remote }: OnHost, options: StageOptions): Promise<HostState> {
  const script = `to=$1
if [ -e "$to/current" ] && [ ! -L "$to/current" ]; then printf 'fault\\tcurrent-is-no-link\\t\\n'; fi
${STATE_SCRIPT}`
  const purpose = { title: 'look for the release before', code: 'CHECK_FAILED', reads: true }
  const { stdout, layout } = await runLocated(remote, purpose, script, options.deployTo, [])
  const faults = readFaults(stdout, host, layout)
  if (faults.length > 0) throw notReady(host, faults)
  const state = readState(stdout)
  if (state.live === undefined) {
    const what =
      state.link === undefined ? 'there is no' : `${state.link} is not a release, but the target of`
    throw new Problem('check', 'NO_OLDER_RELEASE', `${host.name}: ${what} ${layout.current}`, {
      host: host.name,
      hint: `Good releases there: ${goodReleases(state).join(', ') || 'none'}. Deploy one first.`,
    })
  }
  return state
}
