import { expect, it } from 'vitest'
import { typed } from '../../src/deploy/typed.ts'

const stage = { name: 'production', protected: true }

it.each([
  ['deploy:restart', 'deploy:rollback'],
  ['api:deploy:lock:hold', 'api:deploy:rollback'],
  ['eu:api:shared:push', 'eu:api:deploy:rollback'],
  ['my-deploy:deploy:verify', 'my-deploy:deploy:rollback'],
  ['shared:deploy:verify', 'shared:deploy:rollback'],
])('what %s tells people to type is a task beside it', (task, told) => {
  expect(typed({ task, stage }, 'deploy:rollback')).toBe(`npx deployfile production ${told}`)
})
