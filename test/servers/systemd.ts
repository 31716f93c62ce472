import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { startOwnProcess } from './own-process.ts'
import { requireService } from './service.ts'

/** A real systemd that manages the units of a test, and nothing else of this machine. */
export interface Systemd extends AsyncDisposable {
  /** A script of sh that is `systemctl`, for its arguments. */
  readonly systemctl: string
}

// What it looks for is there in its own mount namespace only: that the machine runs systemd, and where to put its processes.
const MOUNTS = `mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system &&
mount -t tmpfs tmpfs /sys/fs/cgroup && mkdir /sys/fs/cgroup/systemd &&
mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd`

// As a process 1 it would take itself for the manager of the machine, so that this shell is that of its namespace.
const START = `${MOUNTS} || exit 1
own=/sys/fs/cgroup/systemd/$1
mkdir "$own" && echo $$ > "$own/cgroup.procs" || exit 1
"$2" --user --log-target=console --unit=basic.target &
until [ -S "$XDG_RUNTIME_DIR/systemd/private" ]; do
  kill -0 $! || exit 1
  sleep 0.05
done
echo ready
wait`

// The kernel keeps groups without processes, mounted or not; the last process may take a moment to be gone.
const REMOVE = `${MOUNTS} || exit 1
tries=0
while [ -d "/sys/fs/cgroup/systemd/$1" ] && [ "$tries" -lt 100 ]; do
  find "/sys/fs/cgroup/systemd/$1" -depth -type d -exec rmdir {} + 2>/dev/null || sleep 0.05
  tries=$((tries + 1))
done`

const UNSHARED = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-c']

/** Needs root's rights to make namespaces, which not every container gives; said loudly where they are missing. */
export function canStartSystemd(): boolean {
  const { status, error, stderr } = spawnSync('unshare', [...UNSHARED, MOUNTS], { encoding: 'utf8' })
  if (status === 0) return true
  const why = error?.message ?? stderr.trim()
  console.warn(`SKIPPED: systemd cannot be started in namespaces of its own here: ${why}`)
  return false
}

/** @param units by name; they should have `DefaultDependencies=no`, so that they bring none of this machine's */
export async function startSystemd(
  folder: string,
  units: Readonly<Record<string, string>>,
): Promise<Systemd> {
  const group = basename(folder)
  const [runtimeDir, config] = [join(folder, 'run'), join(folder, 'config')]
  mkdirSync(runtimeDir, { mode: 0o700 })
  mkdirSync(join(config, 'systemd/user'), { recursive: true })
  // The distribution's own would start the agents of a desktop.
  const none = '[Unit]\nDefaultDependencies=no\n'
  for (const [name, text] of Object.entries({ 'basic.target': none, 'exit.target': none, ...units }))
    writeFileSync(join(config, 'systemd/user', name), text)
  const server = await startOwnProcess({
    program: 'unshare',
    args: [...UNSHARED, START, 'sh', group, requireService('systemd')],
    ready: /^ready$/m,
    // unshare takes the first process of the namespace with it, and that all the others.
    stopSignal: 'SIGKILL',
    folder,
    env: { PATH: process.env['PATH'], HOME: folder, XDG_RUNTIME_DIR: runtimeDir, XDG_CONFIG_HOME: config },
  })
  const pid = String(server.pid)
  const child = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
  return {
    // systemd answers those of its namespace, and outside, where no systemd seems to run, systemctl looks for none.
    systemctl: `XDG_RUNTIME_DIR='${runtimeDir}' exec nsenter --target ${child} --mount --pid /usr/bin/systemctl "$@"`,
    async [Symbol.asyncDispose]() {
      await server.stop()
      spawnSync('unshare', [...UNSHARED, REMOVE, 'sh', group], { stdio: 'ignore' })
    },
  }
}
