import { existsSync, readFileSync } from 'node:fs'
import { installWithApt } from './apt.mjs'
import { findServices } from './find.mjs'

const PACKAGES = {
  sshd: 'openssh-server',
  postgres: 'postgresql',
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
const NAMES = {
  sshd: 'an OpenSSH server (sshd)',
  postgres: 'a PostgreSQL server with its client programs',
  sudo: 'sudo',
  rsync: 'rsync',
  puma: 'puma',
  unicorn: 'unicorn',
  systemd: 'systemd',
  'git-lfs': 'git-lfs',
  capistrano: 'Capistrano',
  passenger: 'Apache with the module of Phusion Passenger',
  gnupg: 'gnupg',
  zsh: 'zsh',
  fish: 'fish',
}

/**
 * Says which services there are, and installs what is missing where that is nobody's loss: as root on Debian or Ubuntu,
 * so that nothing starts. Returns an exit code: not 0 when the tests can't run as they should, because an install failed
 * or CI lacks a service.
 */
export async function provideServices() {
  const missing = report(findServices())
  if (missing.length === 0) return 0

  const packages = missing.map((service) => PACKAGES[service])
  const line = `apt-get update && apt-get install --no-install-recommends ${packages.join(' ')}`
  if (isDebian() && process.getuid?.() === 0) {
    console.log(
      `  Installing ${packages.join(' and ')} with apt-get; no service is started and no cluster is made.`,
    )
    try {
      await installWithApt(missing)
    } catch (error) {
      console.error(`\n✘ ${error.message}`)
      return error.exitCode ?? 1
    }
    const still = report(findServices())
    if (still.length === 0) return 0
    console.error(
      `✘ apt-get ended well, yet ${still.map((service) => NAMES[service]).join(' and ')} is not there.`,
    )
    return 1
  }

  console.log(isDebian() ? `  To have it: sudo sh -c '${line}'` : `  On Debian or Ubuntu: ${line}`)
  if (process.env.CI === 'true') {
    console.error('✘ CI=true: the tests that need it may not be skipped, so this ends here.')
    return 1
  }
  console.log(
    `  SKIPPED for now: the integration and e2e tests that start ${missing.map((s) => NAMES[s]).join(' or ')}.`,
  )
  return 0
}

function report(services) {
  for (const [service, path] of Object.entries(services)) {
    console.log(path === undefined ? `  ✘ ${NAMES[service]}: missing` : `  ✔ ${NAMES[service]}: ${path}`)
  }
  return Object.keys(services).filter((service) => services[service] === undefined)
}

function isDebian() {
  if (!existsSync('/etc/os-release') || !existsSync('/usr/bin/apt-get')) return false
  return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(readFileSync('/etc/os-release', 'utf8'))
}
