import { execFile } from 'node:child_process'
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { tempFolder } from '../servers/temp.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Files that break a rule, each with the rules it must be told; and some that break none. */
const HOUSE: Readonly<Record<string, readonly [source: string, ...rules: string[]]>> = {
  'core/src/index.ts': ['export const core = 1'],
  'core/src/inside.ts': ['export const inside = 1'],
  'core/src/zod.ts': [`import 'zod'\nimport 'node:crypto'`],
  'core/src/journal/disk.ts': [`import 'node:fs/promises'`],
  'core/src/disk.ts': [`import 'node:fs/promises'`, 'core-disk-in-journal-only'],
  'core/src/process.ts': [`import 'node:child_process'`, 'core-reaches-nothing-outside'],
  'core/src/socket.ts': [`import 'node:net'`, 'core-reaches-nothing-outside'],
  'core/src/screen.ts': [`import 'readline'`, 'core-reaches-nothing-outside'],
  'core/src/tar.ts': [`import 'tar'`, 'core-brings-zod-only', 'no-undeclared-dependency'],
  'core/src/up.ts': [`import '@deployfile/shell'`, 'floor-core'],
  'core/src/a.ts': [`import './b.ts'`, 'no-circular', 'no-circle-of-types'],
  // A circle is told once, at its first file.
  'core/src/b.ts': [`import './a.ts'`],
  'core/src/type-a.ts': [`import type { B } from './type-b.ts'\nexport type A = B`, 'no-circle-of-types'],
  'core/src/type-b.ts': [`import type { A } from './type-a.ts'\nexport type B = A | 1`],
  'core/src/later-a.ts': [`import './later-b.ts'`, 'no-circle-of-types'],
  'core/src/later-b.ts': [`export const later = () => import('./later-a.ts')`],
  'shell/src/index.ts': [`import '@deployfile/core'\nexport type Shell = 1`],
  'shell/src/sideways.ts': [`import '@deployfile/postgres'`, 'floor-shell'],
  'shell/src/tool.ts': [`import 'vitest'`, 'no-undeclared-dependency'],
  'shell/src/nowhere.ts': [`import './not-there.ts'`, 'no-unresolvable'],
  'shell/test/inside.ts': [`import '../../core/src/inside.ts'`, 'public-face-only'],
  'postgres/src/index.ts': [`import '@deployfile/core'`],
  'postgres/src/type.ts': [
    `import type { Shell } from '@deployfile/shell'\nexport type S = Shell`,
    'floor-postgres',
  ],
  'recipes/src/index.ts': [`import '@deployfile/core'\nimport '@deployfile/postgres'`],
  'recipes/src/shell.ts': [`import '@deployfile/shell'`, 'floor-recipes'],
  'recipes/src/up.ts': [`import 'deployfile'`, 'floor-recipes'],
  'deployfile/src/index.ts': [
    `import '@deployfile/core'\nimport '@deployfile/recipes'\nimport '@deployfile/shell'`,
  ],
  // What it hands to a config is the very program that loads it.
  'deployfile/src/own-modules.ts': [`export const own = () => import('./loads.ts')`],
  'deployfile/src/loads.ts': [`import './own-modules.ts'`],
  'deployfile/src/postgres.ts': [`import '@deployfile/postgres'`, 'floor-deployfile'],
  'deployfile/src/inside.ts': [`import '../../core/src/inside.ts'`, 'public-face-only'],
}

it('tells every import that breaks a rule of the house, and no other', async () => {
  await using folder = tempFolder('imports')
  for (const [file, [source]] of Object.entries(HOUSE)) {
    const path = join(folder.path, 'packages', file)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, `${source}\n`)
  }
  for (const name of ['core', 'shell', 'postgres', 'recipes', 'deployfile']) {
    copyFileSync(
      join(root, `packages/${name}/package.json`),
      join(folder.path, `packages/${name}/package.json`),
    )
  }
  for (const name of ['.dependency-cruiser.cjs', 'tsconfig.json', 'tsconfig.base.json', 'package.json']) {
    copyFileSync(join(root, name), join(folder.path, name))
  }
  symlinkSync(join(root, 'node_modules'), join(folder.path, 'node_modules'))

  const told = await violations(folder.path)
  const expected = Object.entries(HOUSE).flatMap(([file, [, ...rules]]) =>
    rules.map((rule) => `${rule}: ${file}`),
  )
  expect(told).toEqual(expected.sort())
})

async function violations(folder: string): Promise<readonly string[]> {
  const args = ['--config', '.dependency-cruiser.cjs', '--output-type', 'json', 'packages']
  const output = await new Promise<string>((done) => {
    // Its exit code is the number of violations; what it found is in its output.
    execFile(
      join(root, 'node_modules/.bin/depcruise'),
      args,
      { cwd: folder, maxBuffer: 1 << 26 },
      (_error, stdout) => done(stdout),
    )
  })
  const found = JSON.parse(output) as {
    summary: { violations: readonly { from: string; rule: { name: string } }[] }
  }
  const lines = found.summary.violations.map(
    ({ from, rule }) => `${rule.name}: ${from.replace('packages/', '')}`,
  )
  return [...new Set(lines)].sort()
}
