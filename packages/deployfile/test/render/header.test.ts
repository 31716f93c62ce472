import { loadCatalog, resolvePlan, task } from '@deployfile/core'
import { defineConfig } from 'deployfile'
import { expect, it } from 'vitest'
import * as z from 'zod'
import { header } from '../../src/render/header.ts'
import { createStyle } from '../../src/render/style.ts'

it('says what was asked for, inputs too, in one line', () => {
  const lock = task('lock', {
    input: z.object({ branch: z.string(), message: z.string() }),
    run: () => undefined,
  })
  const hosts = { web1: { roles: ['web'] } }
  const catalog = loadCatalog(defineConfig({ stages: { staging: { hosts } }, tasks: [lock] }))
  const inputs = { branch: 'fix/it', message: 'until\n6 pm' }
  const plan = resolvePlan(catalog, { stage: 'staging', tasks: ['lock'], inputs })
  const run = { id: 'x', startedAt: new Date(), user: 'alice', root: '/' }
  const output = { write: () => true }
  expect(header({ plan, run, style: createStyle(false), output, verbose: false })).toEqual([
    'staging: lock branch=fix/it message="until\\n6 pm"  on this machine',
    'run x by alice',
    '',
  ])
})
