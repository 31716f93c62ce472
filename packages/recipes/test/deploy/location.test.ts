import type { AnyTask } from '@deployfile/core'
import { expect, test } from 'vitest'
import { deploy } from '../../src/deploy/deploy.ts'
import { postgres } from '../../src/index.ts'

const plain = { application: 'shop', repository: '/srv/shop.git', branch: 'main', deployTo: '/srv/shop' }

test.each([
  ['', plain],
  [' with facts about the whole stage', { ...plain, user: 'app', umask: '0027', env: { LANG: 'C' } }],
])('every task of a recipe%s stands where the recipe is used, for -W and for errors', (_, options) => {
  const app = deploy(options)
  const db = postgres({ databases: { production: 'postgresql:///shop' }, from: 'production' })
  const declared = [app, db].flatMap(({ tasks }) => Object.values<AnyTask>({ ...tasks }))
  expect(declared.length).toBeGreaterThan(20)
  for (const { name, '~task': brand } of declared)
    expect({ name, file: brand.location?.file }).toEqual({ name, file: import.meta.filename })
})
