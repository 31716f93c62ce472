// Runs src/bin.ts as a process of its own on every Node: 20 strips no types, and a build may be old.
import { fileURLToPath } from 'node:url'
import { createJiti } from 'jiti'

const source = (name) => fileURLToPath(new URL(`../../${name}/src/`, import.meta.url))
const packages = Object.fromEntries(
  ['core', 'shell', 'postgres', 'recipes'].map((name) => [`@deployfile/${name}`, `${source(name)}index.ts`]),
)
const jiti = createJiti(import.meta.url, { alias: packages })
await jiti.import(`${source('deployfile')}bin.ts`)
