import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createShells } from '@deployfile/shell'
import { readKnown, remember } from '../../src/identity/known.ts'

let root: string
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'known-'))
})
afterAll(() => rmSync(root, { recursive: true }))

test('what several stages are is remembered though they are asked at once, and one that has changed only once', async () => {
  const shells = createShells({ root })
  const local = shells.local({ signal: new AbortController().signal, emit: () => undefined })
  const file = join(root, '.deployfile/identities.json')
  const stages = ['production', 'eu', 'us', 'asia']
  const seen = (stage: string, oid: number) =>
    remember(local, file, { stage, database: 'app', identity: { system: '1', oid } })
  await Promise.all(stages.map((stage, index) => seen(stage, index + 1)))
  await seen('eu', 99)
  const known = await readKnown(local, file)
  expect(known.map(({ stage, oid }) => `${stage} ${oid}`).sort()).toEqual([
    'asia 4',
    'eu 99',
    'production 1',
    'us 3',
  ])
  await shells.close()
})
