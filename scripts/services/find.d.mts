export interface Services {
  readonly sshd: string | undefined
  readonly postgres: string | undefined
  readonly sudo: string | undefined
  readonly rsync: string | undefined
}

export function findServices(): Services
export function findSshd(): string | undefined
export function findPostgres(): string | undefined
export function findSudo(): string | undefined
export function findRsync(): string | undefined
