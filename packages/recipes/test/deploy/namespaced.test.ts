import { loadCatalog, namespace, override, resolvePlan, type Config } from '@deployfile/core'
import { deploy } from '@deployfile/recipes'
import { expect, test } from 'vitest'

const options = { repository: 'git@git.example.com:x.git', branch: 'main', migrate: 'bin/migrate' }
const api = deploy({ ...options, application: 'api', deployTo: '/srv/api' })
const shop = deploy({ ...options, application: 'shop', deployTo: '/srv/shop' })

function planOf(parts: object, task: string) {
  const stages = {
    production: { hosts: { web1: { roles: ['web'] }, db1: { roles: ['db'] } } },
  }
  const config: Config = { '~config': 1, location: undefined, source: { stages, ...parts } }
  return resolvePlan(loadCatalog(config), { stage: 'production', tasks: [task] })
}

test.each(['deploy', 'deploy:migrations', 'deploy:rollback', 'deploy:restart'])(
  'two applications in one config: api:%s is %s with longer names',
  (task) => {
    const plain = planOf({ use: [api] }, task)
    const both = planOf({ use: [namespace('api', api), namespace('shop', shop)] }, `api:${task}`)
    const ids = (plan: typeof plain): readonly string[] => plan.nodes.map(({ id }) => id)
    const longer = (id: string): string => id.replace(/^((?:all|over)(?:#\d+)?\()?/, '$1api:')
    expect(ids(both)).toEqual(ids(plain).map(longer))
    expect(both.edges.map(({ from, to, kind }) => [from, to, kind])).toEqual(
      plain.edges.map(({ from, to, kind }) => [longer(from), longer(to), kind]),
    )
  },
)

test('one of them can be overridden without the other', () => {
  const [mine, other] = [namespace('api', api), namespace('shop', shop)]
  const revision = override(mine.tasks.revision, { run: ({ base }) => base() })
  const parts = { use: [mine, other], tasks: [revision] }
  expect(planOf(parts, 'api:deploy').nodes.length).toBe(planOf(parts, 'shop:deploy').nodes.length)
})
