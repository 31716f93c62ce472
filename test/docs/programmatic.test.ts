import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { ship } from '../../examples/programmatic/ship.ts'

const read = (path: string): string =>
  readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8')

test('the example of docs/programmatic.md is the file, and does what it says', async () => {
  expect(read('docs/programmatic.md')).toContain(`\`\`\`ts\n${read('examples/programmatic/ship.ts')}\`\`\`\n`)
  const root = mkdtempSync(join(tmpdir(), 'deployfile-ship-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  for (const host of ['web1', 'web2']) mkdirSync(join(root, host))
  const told: string[] = []

  const bytes = await ship((line) => told.push(line), root)

  expect(told[0]).toBe('production is protected. This changes it:\n  build\n  upload on web1, web2')
  expect(told.slice(1, 3)).toEqual(['build: built', 'build: done'])
  expect(told.slice(3).sort()).toEqual(['upload@production/web1: done', 'upload@production/web2: done'])
  expect(bytes).toBe(2 * '<h1>prod</h1>\n'.length)
  expect(readFileSync(join(root, 'web2/site/index.html'), 'utf8')).toBe('<h1>prod</h1>\n')
})

test('the example of docs/testing.md is the file that runs with these tests', () => {
  expect(read('docs/testing.md')).toContain(`\`\`\`ts\n${read('examples/testing/assets.test.ts')}\`\`\`\n`)
})

test('and is stopped by its signal, with what it had uploaded taken back', async () => {
  const root = mkdtempSync(join(tmpdir(), 'deployfile-ship-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  const told: string[] = []
  await expect(ship((line) => told.push(line), root, AbortSignal.abort())).rejects.toMatchObject({
    code: 'SHIP_FAILED',
  })
  expect(told).toContain('build: blocked')
})
