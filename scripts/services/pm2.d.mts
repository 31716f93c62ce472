export function findPm2(): string | undefined
export function providePm2(): number
