import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { listeners, ownersOf } from './listeners.mjs'
import { forbidClusters, forbidStarts } from './start-nothing.mjs'

/** What comes as it is. Of Apache only the programs come with its module: the package `apache2` would bring the service. */
const PLAIN = {
  sudo: 'sudo',
  rsync: 'rsync',
  puma: 'puma',
  unicorn: 'unicorn',
  systemd: 'systemd',
  'git-lfs': 'git-lfs',
  capistrano: 'capistrano',
  passenger: 'libapache2-mod-passenger',
  gnupg: 'gnupg',
  zsh: 'zsh',
  fish: 'fish',
}

/**
 * Installs Debian's own packages of the services named so that the machine runs nothing afterwards that it did not run
 * before: no daemon, no database cluster, no open port, not even after a reboot.
 */
export async function installWithApt(services) {
  const before = new Set(listeners().keys())
  const undo = []
  const stop = cancelOnSignal()
  try {
    // First, so that a policy that can't be had ends this before apt has done anything.
    undo.push(forbidStarts())
    await apt(stop, 'update')
    if (services.includes('postgres')) {
      // Alone and first: it brings the settings that decide whether the server package makes a cluster when configured.
      await apt(stop, 'install', 'postgresql-common')
      undo.push(forbidClusters())
      await apt(stop, 'install', 'postgresql')
    }
    const plain = Object.keys(PLAIN).filter((service) => services.includes(service))
    if (plain.length > 0) await apt(stop, 'install', ...plain.map((service) => PLAIN[service]))
    // It is on for the next boot, and would fail there: it has no application.
    if (plain.includes('unicorn')) await command(stop, 'update-rc.d', ['unicorn', 'disable'])
    if (services.includes('sshd')) {
      const hadServer = existsSync('/etc/ssh/sshd_config')
      await apt(stop, 'install', 'openssh-server')
      // Debian enables it for the next boot, under systemd and sysvinit alike. Where a server had been configured
      // before, its owner chose what boots.
      if (!hadServer) await command(stop, 'update-rc.d', ['ssh', 'disable'])
    }
  } finally {
    for (const step of undo.reverse()) step()
    stop.release()
  }
  refuseNewListeners(before)
}

/** Ports opened meanwhile by somebody else's programs are not ours to judge; a database, web or ssh server is. */
function refuseNewListeners(before) {
  const opened = [...listeners()].filter(([address]) => !before.has(address))
  const owners = ownersOf(opened.map(([, inode]) => inode))
  for (const [address, inode] of opened) {
    const owner = owners.get(inode)
    if (owner === undefined || /(^|\/)(sshd|postgres|apache2|PassengerAgent)\b/.test(owner)) {
      throw new Error(
        `The installation opened ${address} (${owner ?? 'owner unknown'}). It must start nothing: stop that service, then run the tests again.`,
      )
    }
    console.log(`  (${address} was opened meanwhile by ${owner}, which this did not install.)`)
  }
  console.log('  No new server listens on this machine.')
}

function apt(stop, verb, ...packages) {
  const options = ['-q', '-o', 'DPkg::Lock::Timeout=300', '-o', 'Dpkg::Use-Pty=0']
  const install = verb === 'install' ? ['-y', '--no-install-recommends'] : []
  return command(stop, 'apt-get', [...options, verb, ...install, ...packages])
}

function command(stop, name, args) {
  const env = {
    ...process.env,
    DEBIAN_FRONTEND: 'noninteractive',
    // Ubuntu's needrestart would restart services of the machine on its own.
    NEEDRESTART_SUSPEND: '1',
    LC_ALL: 'C.UTF-8',
  }
  return new Promise((done, fail) => {
    if (stop.signal !== undefined)
      return fail(new Error(`${stop.signal}: stopped before ${name} ${args.join(' ')}.`))
    console.log(`  $ ${name} ${args.join(' ')}`)
    const child = spawn(name, args, { env, stdio: ['ignore', 'inherit', 'inherit'] })
    stop.child = child
    child.on('error', (error) => fail(new Error(`${name} did not start: ${error.message}`)))
    child.on('close', (code, signal) => {
      stop.child = undefined
      if (stop.signal !== undefined)
        return fail(new Error(`${stop.signal}: stopped in ${name} ${args.join(' ')}.`))
      if (code === 0) return done()
      fail(
        new Error(
          `${name} ${args.join(' ')} ended with ${signal ?? `exit code ${code}`}; its lines above say why.`,
        ),
      )
    })
  })
}

function interrupted(signal, name) {
  const exitCode = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }[signal]
  return Object.assign(new Error(`${signal} in ${name}: stopped; nothing of ours stays behind.`), {
    exitCode,
  })
}

/** A signal ends apt and then lets the `finally` above run: what forbids starting must not stay behind. */
function cancelOnSignal() {
  const state = { signal: undefined, child: undefined, release: () => undefined }
  const handle = (signal) => {
    state.signal = signal
    state.child?.kill('SIGTERM')
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals) process.on(signal, handle)
  state.release = () => signals.forEach((signal) => process.off(signal, handle))
  return state
}
