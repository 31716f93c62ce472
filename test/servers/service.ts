import {
  findCapistrano,
  findOnPath,
  findPassenger,
  findPostgres,
  findRsync,
  findSshd,
  findSudo,
  findSystemd,
} from '../../scripts/services/find.mjs'

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
} as const
const FIND = {
  sshd: findSshd,
  postgres: findPostgres,
  sudo: findSudo,
  rsync: findRsync,
  puma: () => findOnPath('puma'),
  unicorn: () => findOnPath('unicorn'),
  systemd: findSystemd,
  'git-lfs': () => findOnPath('git-lfs'),
  capistrano: findCapistrano,
  passenger: findPassenger,
  gnupg: () => findOnPath('gpg-agent'),
  zsh: () => findOnPath('zsh'),
  fish: () => findOnPath('fish'),
}
export type Service = keyof typeof PACKAGES

const found = new Map<Service, string | undefined>()

/** Where a service is: sshd's program, or the folder of PostgreSQL's. `npm test` looks once and says so in the environment. */
export function findService(service: Service): string | undefined {
  if (!found.has(service)) {
    const told = process.env[`DEPLOYFILE_TEST_${service.toUpperCase().replace('-', '_')}`]
    const path = told ?? FIND[service]()
    found.set(service, path === 'none' ? undefined : path)
  }
  return found.get(service)
}

export function requireService(service: Service): string {
  const path = findService(service)
  if (path === undefined) throw new Error(`${service} is not on this machine: ${aptLine([service])}`)
  return path
}

/**
 * For `describe.runIf(servicesFound('sshd', 'postgres'))(…)`: false when one is missing, said loudly with the line that
 * brings it. With CI=true a missing service is an error, so that a green run means that everything ran.
 */
export function servicesFound(...services: readonly Service[]): boolean {
  const missing = services.filter((service) => findService(service) === undefined)
  if (missing.length === 0) return true
  const text = `needs ${missing.join(' and ')}, not found on this machine. To have it: ${aptLine(missing)}`
  if (process.env['CI'] === 'true') throw new Error(`CI=true, and this ${text}`)
  console.warn(`SKIPPED: this ${text}`)
  return false
}

function aptLine(services: readonly Service[]): string {
  return `apt-get install --no-install-recommends ${services.map((service) => PACKAGES[service]).join(' ')}`
}
