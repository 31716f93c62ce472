import * as zod from 'zod'

const { major, minor, patch } = zod.core.version

export const zodVersion = `${String(major)}.${String(minor)}.${String(patch)}`
export { zod }
