export interface Services {
  readonly sshd: string | undefined
  readonly postgres: string | undefined
  readonly sudo: string | undefined
  readonly rsync: string | undefined
  readonly gnupg: string | undefined
  readonly zsh: string | undefined
  readonly fish: string | undefined
  readonly puma: string | undefined
  readonly unicorn: string | undefined
  readonly systemd: string | undefined
  readonly 'git-lfs': string | undefined
  readonly capistrano: string | undefined
  readonly passenger: string | undefined
}

export function findServices(): Services
export function findSshd(): string | undefined
export function findPostgres(): string | undefined
export function findSudo(): string | undefined
export function findSystemd(): string | undefined
export function findRsync(): string | undefined
export function findOnPath(name: string): string | undefined
export function findCapistrano(): string | undefined
export function findPassenger(): string | undefined
