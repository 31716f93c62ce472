export const OTHER_NODES: readonly string[]
export function findNode(major: string): string | undefined
export function provideNodes(): number
