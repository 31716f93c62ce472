export const NEWEST: string
export const ALL: readonly string[]
export function findServer(major: string): string | undefined
export function provideServers(majors: readonly string[]): number
