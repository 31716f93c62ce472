export interface Services {
  readonly sshd: string | undefined
  readonly postgres: string | undefined
  readonly sudo: string | undefined
  readonly rsync: string | undefined
  readonly puma: string | undefined
  readonly 'git-lfs': string | undefined
}

export function findServices(): Services
export function findSshd(): string | undefined
export function findPostgres(): string | undefined
export function findSudo(): string | undefined
export function findRsync(): string | undefined
export function findOnPath(name: string): string | undefined
