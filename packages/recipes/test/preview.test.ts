import { expect, test } from 'vitest'
import type { AnyTask } from '@deployfile/core'
import { deploy, postgres } from '../src/index.ts'

const app = deploy({
  application: 'shop',
  repository: 'git@git.example.com:shop.git',
  branch: 'master',
  deployTo: '/srv/shop',
  migrate: 'rake db:migrate',
  restart: 'true',
})
const db = postgres({
  databases: { dev: 'postgresql:///dev', production: 'postgresql:///app' },
  from: 'production',
})

/** The tasks of a recipe and all that they need. */
function all(tasks: object): readonly AnyTask[] {
  const found = new Map<string, AnyTask>()
  const stack = Object.values(tasks) as AnyTask[]
  for (let task = stack.pop(); task; task = stack.pop()) {
    if (found.has(task.name)) continue
    found.set(task.name, task)
    for (const need of Object.values(task['~task'].spec.needs)) {
      const given = '~optional' in need ? (need['~optional'] as AnyTask) : need
      stack.push('~all' in given ? given['~all'].task : given)
    }
  }
  return [...found.values()]
}

const bodies = [...all(app.tasks), ...all(db.tasks)].filter((task) => task['~task'].spec.run !== undefined)

test.each(bodies.map((task) => [task.name, task] as const))('%s has a preview', (_, task) => {
  expect(task['~task'].spec.preview).toBeDefined()
})

test('the recipes have as many bodies as are known here', () => {
  expect(bodies.length).toBeGreaterThanOrEqual(16)
})
