// Runs worker.ts on every Node: 20 strips no types.
import { fileURLToPath } from 'node:url'
import { createJiti } from 'jiti'

const core = fileURLToPath(new URL('../../../src/index.ts', import.meta.url))
await createJiti(import.meta.url, { alias: { '@deployfile/core': core } }).import('./worker.ts')
