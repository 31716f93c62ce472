import { defineConfig, loadCatalog, namespace, resolvePlan, type Plan } from '@deployfile/core'
import { describe, expect, it } from 'vitest'
import { postgres } from '../../src/database/postgres.ts'

const catalog = loadCatalog(
  defineConfig({
    stages: {
      dev: { hosts: { localhost: { transport: 'local', roles: ['app', 'db'] } } },
      staging: { hosts: { staging1: { roles: ['app'] }, staging2: { roles: ['db'] } } },
      eu: { protected: true, hosts: { eu1: { roles: ['db'] } } },
      production: {
        protected: true,
        hosts: { db1: { roles: ['db'] }, db2: { roles: ['db'], primary: true } },
      },
    },
    use: [
      postgres({
        databases: { dev: 'postgresql:///app_dev', production: 'postgresql:///app', eu: 'postgresql:///app' },
        from: 'production',
      }),
    ],
  }),
)
const planOf = (stage: string, task: string, inputs: Record<string, string> = {}): Plan =>
  resolvePlan(catalog, { stage, tasks: [task], inputs })

describe('db:backup:restore_from_prod', () => {
  const plan = planOf('dev', 'db:backup:restore_from_prod')

  it('looks at both ends before the dump, and touches the target last', () => {
    expect(plan.nodes.filter(({ skip }) => skip === undefined).map((node) => node.id)).toEqual([
      'db:backup:identity:production@production/db2',
      'db:backup:identity:eu@eu/eu1',
      'db:backup:production',
      'db:backup:target@dev/localhost',
      'db:backup:dump@production/db2',
      'db:backup:fetch@production/db2',
      'db:backup:restore_from_prod@dev/localhost',
    ])
  })

  it('only reads production, and destroys on the target', () => {
    const effects = Object.fromEntries(plan.nodes.map((node) => [node.task, node.effect]))
    expect(effects).toEqual({
      'db:backup:identity:dev': 'read',
      'db:backup:identity:eu': 'read',
      'db:backup:identity:production': 'read',
      'db:backup:production': 'read',
      'db:backup:target': 'read',
      'db:backup:dump': 'read',
      'db:backup:fetch': 'read',
      'db:backup:restore_from_prod': 'destroy',
    })
  })
})

describe('a stage that must never be a target', () => {
  it('is asked who it is when it is protected, and only then', () => {
    const skipped = planOf('dev', 'db:backup:restore', { file: 'latest' }).nodes.filter(({ skip }) => skip)
    expect(skipped).toMatchObject([{ task: 'db:backup:identity:dev', skip: 'dev is not protected' }])
  })
})

describe('two applications', () => {
  it('have their databases under two names', () => {
    const databases = { dev: 'postgresql:///shop_dev', production: 'postgresql:///shop' }
    const hosts = { db1: { roles: ['db'] } }
    const both = loadCatalog(
      defineConfig({
        stages: { dev: { hosts }, production: { hosts } },
        use: ['shop', 'api'].map((name) => namespace(name, postgres({ databases, from: 'production' }))),
      }),
    )
    const plan = resolvePlan(both, { stage: 'dev', tasks: ['api:db:backup:restore_from_prod'] })
    expect(plan.nodes.filter(({ task }) => !task.startsWith('api:'))).toEqual([])
  })
})

describe('db:backup:prune', () => {
  it('removes nothing by a rule that nobody gave', () => {
    expect(() => planOf('dev', 'db:backup:prune')).toThrow('it is not said which backups are to be kept')
    expect(planOf('dev', 'db:backup:prune', { last: '3' }).nodes).toHaveLength(1)
    expect(() => planOf('dev', 'db:backup:prune', { last: '0' })).toThrow(/last/)
  })
})

describe('what is refused while planning', () => {
  it.each(['production', 'eu'])('%s as a target', (stage) => {
    expect(() => planOf(stage, 'db:backup:restore_from_prod')).toThrow(
      `the stage ${stage} is never restored onto`,
    )
    expect(() => planOf(stage, 'db:backup:restore', { file: 'latest' })).toThrow('never restored onto')
  })

  it('a stage without a database', () => {
    for (const task of ['db:backup:create', 'db:backup:list', 'db:backup:restore_from_prod']) {
      expect(() => planOf('staging', task)).toThrow(
        "the stage 'staging' has no database in postgres({ databases })",
      )
    }
  })

  it('a restore without a file', () => {
    expect(() => planOf('dev', 'db:backup:restore')).toThrow(/file/)
  })
})

describe('db:backup:create', () => {
  it('runs on the primary database host, and only reads', () => {
    const [node] = planOf('production', 'db:backup:create').nodes
    expect(node).toMatchObject({ id: 'db:backup:create@production/db2', effect: 'read' })
  })
})
