import {
  defineConfig,
  loadCatalog,
  perStage,
  resolvePlan,
  task,
  where,
  type Catalog,
  type Config,
  type Plan,
} from '@deployfile/core'
import { describe, expect, it } from 'vitest'
import { deploy, passenger } from '../../src/index.ts'
import type { DeployOptions } from '../../src/index.ts'

const shared = {
  application: 'disastrously',
  repository: 'git@git.example.com:disastrously.git',
  deployTo: '/var/www/disastrously',
  linkedFiles: ['config/database.yml'],
  linkedDirs: ['log', 'tmp/pids', 'public/system'],
  migrate: 'bundle exec rake db:migrate',
  restart: passenger(),
} satisfies Omit<DeployOptions, 'branch'>
const branch = perStage({ staging: 'staging', production: 'master', default: 'master' })

/** The config of the design, less its database. */
function config(more: Partial<DeployOptions> = {}): Config {
  const app = deploy({ ...shared, branch, ...more })
  const assets = task('assets:build', { run: () => ({ dir: 'dist' }) })
  const upload = task('assets:upload', {
    on: 'web',
    needs: { assets, release: app.tasks.release },
    run: () => undefined,
  })
  return defineConfig({
    stages: {
      dev: { hosts: { localhost: { transport: 'local', roles: ['app', 'web', 'db'] } } },
      staging: { hosts: { 'staging.example.com': { roles: ['app', 'web', 'db'], user: 'deploy' } } },
      production: {
        protected: true,
        hosts: {
          web1: { roles: ['app', 'web'] },
          db1: { roles: ['app', 'db'], address: 'deploy@10.0.0.7:2222' },
        },
      },
    },
    defaultStage: 'dev',
    use: [app],
    tasks: [assets, upload],
    before: { 'deploy:updated': [upload] },
  })
}

const catalog = (more?: Partial<DeployOptions>): Catalog => loadCatalog(config(more))
const planOf = (name: string, more?: Partial<DeployOptions>, stage = 'production'): Plan =>
  resolvePlan(catalog(more), { stage, tasks: [name] })
/** Ids without the stage, without joins. */
const nodesOf = (plan: Plan): string[] =>
  plan.nodes
    .filter(({ kind }) => kind !== 'join')
    .map(({ id }) => id.replace('@production/', '@'))
    .sort()

const onBoth = (name: string): string[] => [`${name}@db1`, `${name}@web1`]
const deployNodes = [
  ...['assets:build', 'assets:upload@web1', 'deploy', 'deploy:revision@web1'],
  ...['deploy:lock:hold@web1', 'deploy:lock:before_publish@web1', 'deploy:pending_migrations@web1'],
  ...[
    'starting',
    'started',
    'updating',
    'updated',
    'updated.start',
    'updated.end',
    'publishing',
    'decide',
    'published',
    'healthy',
    'finishing',
    'finished',
  ].map((name) => `deploy:${name}`),
  ...['check', 'release', 'publish', 'restart', 'verify', 'cleanup', 'log_revision'].flatMap((name) =>
    onBoth(`deploy:${name}`),
  ),
].sort()

/** Does one node have to end before another starts? */
function comesBefore(plan: Plan, first: string, second: string): boolean {
  const full = (id: string): string => id.replace('@', '@production/')
  const seen = new Set<string>()
  const stack = [full(first)]
  for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
    if (id === full(second)) return true
    if (seen.has(id)) continue
    seen.add(id)
    stack.push(...plan.edges.filter(({ from }) => from === id).map(({ to }) => to))
  }
  return false
}

describe('the nodes of', () => {
  it('deploy: everything but migrations', () => {
    expect(nodesOf(planOf('deploy'))).toEqual(deployNodes)
  })

  it('deploy:migrations: the same, and migrations on the primary database host', () => {
    const expected = [
      ...deployNodes.filter((id) => !['deploy', 'deploy:pending_migrations@web1'].includes(id)),
      ...['deploy:migrations', 'deploy:backup', 'deploy:lock:before_migrate@web1', 'deploy:migrate@db1'],
    ]
    expect(nodesOf(planOf('deploy:migrations'))).toEqual(expected.sort())
  })

  it.each([
    ['deploy:migrate', ['deploy:migrate@db1']],
    ['deploy:restart', onBoth('deploy:restart')],
    ['deploy:cleanup', onBoth('deploy:cleanup')],
    ['deploy:publish', onBoth('deploy:publish')],
    ['deploy:check', onBoth('deploy:check')],
    ['deploy:published', ['deploy:published']],
  ])('%s alone: nothing else', (name, expected) => {
    expect(nodesOf(planOf(name))).toEqual(expected)
  })

  it('deploy:rollback: no release, no publishing, no git', () => {
    expect(nodesOf(planOf('deploy:rollback'))).toEqual(
      [
        ...[
          'deploy:rollback',
          'deploy:rollback:target',
          'deploy:reverting',
          'deploy:reverted',
          'deploy:finished',
        ],
        ...['deploy:lock:hold@web1', 'deploy:lock:before_revert@web1', 'deploy:decide', 'deploy:healthy'],
        'deploy:rollback:migrations@web1',
        ...['rollback:check', 'revert', 'restart', 'verify', 'log_revision', 'rollback:archive'].flatMap(
          (name) => onBoth(`deploy:${name}`),
        ),
      ].sort(),
    )
  })
})

describe('the order of deploy:migrations', () => {
  const plan = planOf('deploy:migrations')
  const chain = [
    ...['deploy:starting', 'deploy:lock:hold@web1', 'deploy:check@db1', 'deploy:revision@web1'],
    ...['deploy:started', 'deploy:updating'],
    ...[
      'deploy:release@db1',
      'deploy:updated',
      'deploy:lock:before_migrate@web1',
      'deploy:migrate@db1',
      'deploy:publishing',
      'deploy:lock:before_publish@web1',
      'deploy:publish@db1',
    ],
    ...[
      'deploy:decide',
      'deploy:published',
      'deploy:restart@db1',
      'deploy:healthy',
      'deploy:finishing',
      'deploy:cleanup@web1',
      'deploy:finished',
      'deploy:migrations',
    ],
  ]

  it.each(chain.slice(1).map((id, index) => [chain[index] ?? '', id]))('%s, then %s', (before, after) => {
    expect(comesBefore(plan, before, after)).toBe(true)
    expect(comesBefore(plan, after, before)).toBe(false)
  })

  it('publishes nowhere before every host has its release and migrations are done', () => {
    expect(comesBefore(plan, 'deploy:release@web1', 'deploy:publish@db1')).toBe(true)
    expect(comesBefore(plan, 'deploy:migrate@db1', 'deploy:publish@web1')).toBe(true)
  })

  it('lets hosts build without waiting for each other', () => {
    expect(comesBefore(plan, 'deploy:release@web1', 'deploy:release@db1')).toBe(false)
    expect(comesBefore(plan, 'deploy:release@db1', 'deploy:release@web1')).toBe(false)
  })

  it('only reads until the release is built', () => {
    const reads = plan.nodes
      .filter(({ effect, kind }) => kind === 'task' && effect === 'read')
      .map(({ task }) => task)
    expect(reads).toEqual(expect.arrayContaining(['deploy:check', 'deploy:revision', 'deploy:starting']))
    expect(reads).not.toContain('deploy:release')
  })
})

describe('a deploy with everything', () => {
  const create = task('db:backup:create', {
    on: { role: 'db', pick: 'primary' },
    run: () => ({ file: '/b.pgdump', on: 'db1' }),
  })
  const plan = planOf('deploy:migrations', { verify: 'https://example.com/up', backup: create })

  it('backs up when the release is built, right before migrations', () => {
    const chain = [
      'deploy:updated',
      'deploy:backup@db1',
      'deploy:lock:before_migrate@web1',
      'deploy:migrate@db1',
    ]
    for (const [index, id] of chain.slice(1).entries())
      expect(comesBefore(plan, chain[index] ?? '', id), id).toBe(true)
    expect(nodesOf(plan)).not.toContain('db:backup:create@db1')
  })

  it('verifies each host after its own restart, and nothing is for good before every host was verified', () => {
    expect(comesBefore(plan, 'deploy:restart@db1', 'deploy:verify@db1')).toBe(true)
    expect(comesBefore(plan, 'deploy:restart@web1', 'deploy:verify@db1')).toBe(false)
    for (const id of onBoth('deploy:verify')) expect(comesBefore(plan, id, 'deploy:healthy')).toBe(true)
  })

  it('decides whether it may go back when every host is flipped, before anything is restarted', () => {
    for (const id of onBoth('deploy:publish')) expect(comesBefore(plan, id, 'deploy:decide')).toBe(true)
    for (const id of onBoth('deploy:restart')) expect(comesBefore(plan, 'deploy:decide', id)).toBe(true)
  })

  it('takes the lock before anything is looked at, and looks at it again before migrations and the flip', () => {
    for (const id of onBoth('deploy:check')) expect(comesBefore(plan, 'deploy:lock:hold@web1', id)).toBe(true)
    for (const id of onBoth('deploy:publish'))
      expect(comesBefore(plan, 'deploy:lock:before_publish@web1', id)).toBe(true)
  })
})

describe('a stage with lock: false', () => {
  it('skips the lock, and says why', () => {
    const plan = planOf('deploy', { lock: perStage({ production: false, default: true }) })
    const skips = plan.nodes
      .filter(({ task: name }) => name.startsWith('deploy:lock:'))
      .map(({ skip }) => skip)
    expect(skips).toEqual(['deploy() has lock: false', 'deploy() has lock: false'])
    expect(nodesOf(planOf('deploy', {}, 'dev'))).toContain('deploy:lock:hold@dev/localhost')
  })
})

describe('hosts', () => {
  it('are narrowed by `on`, and migrations with them', () => {
    const narrow = deploy({ ...shared, branch: 'main', on: 'app' })
    const hosts = { db0: { roles: ['db'] }, app1: { roles: ['app'] }, app2: { roles: ['app', 'db'] } }
    const made = loadCatalog(defineConfig({ stages: { a: { hosts } }, use: [narrow] }))
    const { nodes } = resolvePlan(made, { stage: 'a', tasks: ['deploy:migrations'] })
    expect(nodes.filter(({ host }) => host === 'db0')).toEqual([])
    expect(nodes.find(({ task: name }) => name === 'deploy:migrate')?.host).toBe('app2')
  })

  it('without a database host cannot migrate: the message names the role', () => {
    const lonely = deploy({ ...shared, branch: 'main' })
    const hosts = { web1: { roles: ['web'] } }
    const stages = { a: { hosts }, b: { hosts: { db1: { roles: ['db'] } } } }
    const lone = loadCatalog(defineConfig({ stages, use: [lonely] }))
    expect(() => resolvePlan(lone, { stage: 'a', tasks: ['deploy:migrations'] })).toThrow(
      `'deploy:migrate' has nowhere to run: the stage 'a' has no host with the role 'db'`,
    )
    expect(resolvePlan(lone, { stage: 'a', tasks: ['deploy'] }).nodes.length).toBeGreaterThan(10)
  })

  it('need no database role where nothing migrates', () => {
    const { migrate: _, ...rest } = shared
    const app = deploy({ ...rest, branch: 'main' })
    const lone = loadCatalog(
      defineConfig({ stages: { a: { hosts: { web1: { roles: ['web'] } } } }, use: [app] }),
    )
    const plan = resolvePlan(lone, { stage: 'a', tasks: ['deploy:migrations'] })
    expect(plan.nodes.map(({ task: name }) => name)).not.toContain('deploy:migrate')
    expect(plan.notes.join()).toContain('deploy:migrate')
  })
})

describe('options that depend on the stage', () => {
  it('are checked while planning, before anything is connected', () => {
    const broken = deploy({ ...shared, branch: perStage({ production: 'a b', default: 'main' }) })
    const hosts = { web1: { roles: ['db'] } }
    const made = loadCatalog(
      defineConfig({ stages: { production: { hosts }, dev: { hosts } }, use: [broken] }),
    )
    expect(() => resolvePlan(made, { stage: 'production', tasks: ['deploy:restart'] })).toThrow(
      `for the stage 'production'`,
    )
    expect(resolvePlan(made, { stage: 'dev', tasks: ['deploy:restart'] }).nodes).toHaveLength(1)
  })
})

describe('a migrate task of your own', () => {
  it('takes the place of deploy:migrate, and waits for hooks of deploy:updated', () => {
    const migrate: DeployOptions['migrate'] = (tasks) =>
      task('deploy:migrate', {
        on: { role: 'db', pick: 'primary' },
        needs: { release: tasks.release },
        run: ({ needs }) => ({ applied: [needs.release.path] }),
      })
    const plan = planOf('deploy:migrations', { migrate })
    expect(nodesOf(plan)).toContain('deploy:migrate@db1')
    expect(comesBefore(plan, 'assets:upload@web1', 'deploy:migrate@db1')).toBe(true)
    expect(comesBefore(plan, 'deploy:migrate@db1', 'deploy:publish@web1')).toBe(true)
  })
})

describe('a condition as `on`', () => {
  it('chooses hosts by anything that is known of them', () => {
    const plan = planOf('deploy:restart', { on: where((host) => host.name === 'db1') })
    expect(nodesOf(plan)).toEqual(['deploy:restart@db1'])
  })
})
