import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { page } from './pages.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
/** Words of the same look that are no codes of errors. */
const OTHERS = new Set([
  'DEPLOYFILE_COMMAND',
  'DEPLOYFILE_SSH_CONFIG',
  'EAI_AGAIN',
  'SSH_AUTH_SOCK',
  'SUDO_PASSWORD',
])

test('whoever goes by the code of an error of a host finds it in the docs', () => {
  const source = readdirSync(join(root, 'packages/shell/src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(root, 'packages/shell/src', name), 'utf8'))
    .join('\n')
  const codes = new Set(source.match(/(?<=')[A-Z]+(?:_[A-Z]+)+(?=')/g)?.filter((code) => !OTHERS.has(code)))
  expect(codes.size).toBeGreaterThan(40)
  const docs = page('docs/hosts.md') + page('docs/testing.md')
  expect([...codes].filter((code) => !docs.includes(`\`${code}\``))).toEqual([])
})
