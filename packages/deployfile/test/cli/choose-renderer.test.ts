import { expect, it } from 'vitest'
import { rendererName } from '../../src/cli/choose-renderer.ts'

type Line = Parameters<typeof rendererName>[0]

interface Around {
  readonly terminal?: boolean
  readonly dryRun?: true
  readonly env?: NodeJS.ProcessEnv
}

it.each<[name: string, renderer: Line['renderer'], around: Around, quiet?: true]>([
  ['tree', 'auto', { terminal: true }],
  ['plain', 'auto', {}],
  ['plain', 'auto', { terminal: true, env: { CI: 'true' } }],
  ['tree', 'auto', { terminal: true, env: { CI: 'false' } }],
  ['plain', 'auto', { terminal: true, env: { TERM: 'dumb' } }],
  ['plain', 'auto', { terminal: true, dryRun: true }],
  ['github', 'auto', { env: { CI: 'true', GITHUB_ACTIONS: 'true' } }],
  ['tree', 'auto', { terminal: true, env: { GITHUB_ACTIONS: 'true' } }],
  ['silent', 'auto', { terminal: true }, true],
  ['silent', 'tree', { terminal: true }, true],
  ['json', 'json', { terminal: true }, true],
  ['json', 'json', { env: { GITHUB_ACTIONS: 'true' } }],
  ['plain', 'plain', { terminal: true }],
  ['plain', 'plain', { env: { GITHUB_ACTIONS: 'true' } }],
  ['tree', 'tree', { terminal: true, env: { CI: 'true' } }],
  ['plain', 'tree', {}],
  ['plain', 'tree', { terminal: true, env: { TERM: 'dumb' } }],
  ['github', 'github', { terminal: true }],
])('is %s: %s %j', (name, renderer, { terminal = false, dryRun, env = {} }, quiet = false as never) => {
  const output = { write: () => true, isTTY: terminal }
  expect(rendererName({ renderer, quiet }, env, { output, run: { ...(dryRun && { dryRun }) } })).toBe(name)
})
