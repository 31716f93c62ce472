import type { AnyTask } from '@deployfile/core'
import { expect, test } from 'vitest'
import { deploy } from '../../src/deploy/deploy.ts'
import { postgres } from '../../src/index.ts'

test('every task of a recipe stands where the recipe is used, for -W and for what is said about it', () => {
  const app = deploy({
    application: 'shop',
    repository: '/srv/shop.git',
    branch: 'main',
    deployTo: '/srv/shop',
  })
  const db = postgres({ databases: { production: 'postgresql:///shop' }, from: 'production' })
  const declared = [app, db].flatMap(({ tasks }) => Object.values<AnyTask>({ ...tasks }))
  expect(declared.length).toBeGreaterThan(20)
  for (const { name, '~task': brand } of declared)
    expect({ name, file: brand.location?.file }).toEqual({ name, file: import.meta.filename })
})
