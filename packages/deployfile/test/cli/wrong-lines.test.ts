import { describe, expect, it } from 'vitest'
import { cli, type Cli } from '../cli-harness.ts'

// What is typed, and the whole answer: read wrong-lines/*.txt as a user would. Each ends with its exit code, and nothing is run.

const CONFIG = `
const build = task('assets:build', {
  desc: 'Build the front end',
  aliases: ['ab'],
  input: z.object({ mode: z.enum(['dev', 'prod']).default('prod'), jobs: z.number().int().min(1).max(8).default(2), minify: z.boolean().default(true) }),
  run: () => 1,
})
const tag = task('tag', { desc: 'Name a build', input: z.object({ name: z.string().min(2), since: z.iso.date().optional() }), run: () => 1 })
const upload = task('assets:upload', { desc: 'Upload', on: 'web', needs: { build }, input: z.object({ mode: z.string().default('x') }), run: () => 1 })
const dump = task('db:dump', { desc: 'Dump', on: { role: 'db', pick: 'primary' }, run: () => 1 })
const both = group('both', { build, upload })
export default defineConfig({
  stages: {
    dev: { hosts: { localhost: { transport: 'local', roles: ['web'] } } },
    production: { protected: true, hosts: { web1: { roles: ['web'] }, db1: { roles: ['db'] } } },
  },
  defaultStage: 'dev',
  tasks: [upload, tag, dump, both, task('first', { run: () => 1 })],
})`

/** Types each line in one project, and writes down what comes back. */
async function typed(one: Cli, lines: readonly (readonly string[])[]): Promise<string> {
  const blocks: string[] = []
  for (const words of lines) {
    const { code, stdout, stderr } = await one.next(...words).run()
    blocks.push(`$ ${['deployfile', ...words].map(shown).join(' ')}\n${stdout}${stderr}→ ${String(code)}\n`)
  }
  return blocks.join('\n')
}

function shown(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${JSON.stringify(word).slice(1, -1)}'`
}

describe('what is answered to', () => {
  const project = (): Cli => cli().config(CONFIG)

  it('words that are neither a stage nor a task', async () => {
    const lines = [
      ...[['asets:build'], ['assets'], ['producton', 'tag'], ['production', 'tga'], ['tag', 'production']],
      ...[
        ['dev', 'production', 'tag'],
        ['production'],
        ['dev'],
        ['tag', 'nothing'],
        ['Tag', 'name=ab'],
        [''],
      ],
      ...[['ab:c'], ['тег'], ['as sets'], ['a\nb'], ['../deploy'], ['stage=prod', 'tag'], ['stage=', 'tag']],
      ...[
        ['dev', 'tag', 'stage=production', 'name=ab'],
        ['init:x'],
        ['help', 'nothing'],
        ['tag', 'exec', 'x'],
      ],
    ]
    await expect(await typed(project(), lines)).toMatchFileSnapshot('wrong-lines/words.txt')
  })

  it('options that are not there, or are given wrongly', async () => {
    const lines = [
      ...[
        ['tag', '--plna'],
        ['tag', '-Z', 'web1'],
        ['tag', '--hosts'],
        ['tag', '--renderer', 'fancy'],
      ],
      ...[
        ['tag', '--on-failure=stop'],
        ['tag', '--undo', 'maybe'],
        ['tag', '--concurrency', '0'],
      ],
      ...[
        ['tag', '--concurrency', 'many'],
        ['tag', '--grace', 'soon'],
        ['tag', '--lock-wait', '-1s'],
      ],
      ...[
        ['tag', '--json', '--renderer', 'tree'],
        ['-T', 'zzz'],
        ['-D', '-W'],
        ['tag', '--graph', 'svg'],
      ],
      ...[
        ['tag', '--config', 'nowhere.ts'],
        ['tag', '--config', '.'],
        ['tag', '--cwd', 'nowhere'],
      ],
      ...[
        ['--resume', 'tag'],
        ['--resume=nothing'],
        ['--resume', '--plan'],
        ['tag', '-z', 'web9', 'name=ab'],
      ],
      ...[['production', 'db:dump', '-r', 'rol'], ['production', 'db:dump', '-z', 'web1'], ['db:dump']],
      ...[
        ['tag', '--skip', 'tga'],
        ['tag', '--no-plan'],
        ['tag', '-x'],
        ['tag', '---plan'],
      ],
    ]
    await expect(await typed(project(), lines)).toMatchFileSnapshot('wrong-lines/options.txt')
  })

  it('inputs that do not fit', async () => {
    const lines = [
      ...[
        ['tag'],
        ['tag', 'name='],
        ['tag', 'name=a'],
        ['tag', 'nmae=ab'],
        ['tag', '--name'],
        ['tag', '--nmae=ab'],
      ],
      ...[
        ['tag', 'name=ab', 'name=cd'],
        ['tag', 'name=ab', 'since=yesterday'],
        ['ab', 'mode=production'],
      ],
      ...[
        ['ab', 'jobs=9'],
        ['ab', 'jobs=many'],
        ['ab', 'jobs=1.5'],
        ['ab', 'jobs='],
        ['ab', 'minify=perhaps'],
      ],
      ...[
        ['ab', '--no-mode'],
        ['ab', '--no-minify=1'],
        ['ab', 'mode=a=b'],
        ['ab', 'mode=ä ö\nü'],
      ],
      ...[
        ['both', 'jobs=0'],
        ['tag', 'ab', 'x=1'],
        ['tag', 'tag.nam=ab'],
        ['tag', 'assets:build.mode=dev'],
      ],
      ...[
        ['tag', '=ab'],
        ['tag', 'name =ab'],
        ['tag', '--', '--name=ab'],
        ['tag', 'name=ab', 'stage=dev', 'stage=production'],
      ],
    ]
    await expect(await typed(project(), lines)).toMatchFileSnapshot('wrong-lines/inputs.txt')
  })

  it('inputs of each kind', async () => {
    const one = cli().config(`
const copy = task('copy', {
  desc: 'All that an input can be',
  input: z.object({
    each: z.array(z.int().min(1)),
    to: z.email(),
    tag: z.string().regex(/^v/).optional(),
    size: z.number().multipleOf(5).default(10),
    kind: z.enum(['slow', 'fast', 'none']).optional(),
    name: z.string().refine((name) => name !== 'root', 'root is no name for it').optional(),
  }),
  run: () => 1,
})
export default defineConfig({ stages: { dev: { hosts: {} } }, defaultStage: 'dev', tasks: [copy] })`)
    const lines = [
      ...[
        ['copy', 'each=1,x', 'to=you'],
        ['copy', 'each=', 'to=who@example.com', 'tag=1'],
      ],
      ...[
        ['copy', 'each=1', 'to=who@example.com', 'size=11', 'kind=fsat'],
        ['copy', 'each=1', 'to=who@example.com', 'name=root'],
      ],
    ]
    await expect(await typed(one, lines)).toMatchFileSnapshot('wrong-lines/kinds.txt')
  })

  it('commands of ours that are typed wrongly', async () => {
    const lines = [
      ...[
        ['runs', 'shwo'],
        ['runs', 'show'],
        ['runs', 'show', 'nothing'],
        ['runs', 'undo'],
        ['runs', 'prune', 'keep=-1'],
      ],
      ...[
        ['exec'],
        ['exec', 'ls', '-la'],
        ['stag', 'exec', 'true'],
        ['ssh'],
        ['ssh', 'web9'],
        ['ssh', 'web1', 'db1'],
      ],
      ...[['ssh', 'localhost'], ['completion'], ['completion', 'tcsh'], ['doctor', 'web1'], ['init']],
      ...[
        ['dev', 'runs'],
        ['production', 'init'],
      ],
    ]
    await expect(await typed(project(), lines)).toMatchFileSnapshot('wrong-lines/commands.txt')
  })
})

describe('what is said of a config', () => {
  const IMPORT = `import { defineConfig, task } from 'deployfile'\n`
  const STAGES = `stages: { dev: { hosts: {} } }`

  it('that is not what it should be', async () => {
    const files: Readonly<Record<string, string>> = {
      'empty.ts': '',
      'number.ts': 'export default 1',
      'named.ts': `${IMPORT}export const config = defineConfig({ ${STAGES} })`,
      'promise.ts': `${IMPORT}export default Promise.resolve(defineConfig({ ${STAGES} }))`,
      'function.ts': `${IMPORT}export default () => defineConfig({ ${STAGES} })`,
      'plain.ts': `export default { ${STAGES} }`,
      'syntax.ts': 'export default {',
      'throws.ts': `throw new Error('not today')`,
      'missing.ts': `import x from './nowhere'\nexport default x`,
      'package.ts': `import x from 'no-such-package'\nexport default x`,
      'key.ts': `${IMPORT}export default defineConfig({ ${STAGES}, tsks: [] } as never)`,
      'word.ts': `${IMPORT}export default defineConfig({ ${STAGES}, tasks: [task('exec', { run: () => 1 })] })`,
      'stage.ts': `${IMPORT}export default defineConfig({ stages: { runs: { hosts: {} } } })`,
      'twice.ts': `${IMPORT}export default defineConfig({ ${STAGES}, tasks: [task('a', { run: () => 1 }), task('a', { run: () => 2 })] })`,
      'role.ts': `${IMPORT}export default defineConfig({ ${STAGES}, tasks: [task('a', { on: 'wbe', run: () => 1 })] })`,
      'cycle.ts': `${IMPORT}const one = task('one', { run: () => 1 })
const two = task('two', { needs: { one }, run: () => 1 })
export default defineConfig({ ${STAGES}, defaultStage: 'dev', tasks: [two], before: { one: [two] } })`,
      'circle.ts': `${IMPORT}import { stages } from './round.ts'\nexport const dev = { hosts: {} }\nexport default defineConfig({ stages })`,
      'data.json': '{}',
    }
    const one = cli()
    for (const [name, text] of Object.entries(files)) one.file(name, text)
    one.file('round.ts', `import { dev } from './circle.ts'\nexport const stages = { dev }`)
    const lines = [
      ...Object.keys(files).map((name) => ['-T', '--config', name]),
      ['two', '--config', 'cycle.ts'],
      ['-T', '--cwd', '/'],
      ['-T'],
    ]
    await expect(await typed(one, lines)).toMatchFileSnapshot('wrong-lines/configs.txt')
  })

  it('with a value in it that does not fit', async () => {
    const stage = (hosts: string): string => `defineConfig({ stages: { dev: { hosts: ${hosts} } } } as never)`
    const shop = `application: 'shop', branch: 'main', deployTo: '/srv/shop', repository: 'git@git.example.com:shop.git'`
    const databases = `databases: { dev: 'postgresql:///app_dev' }, from: 'dev'`
    const values: Readonly<Record<string, string>> = {
      'nothing.ts': 'defineConfig(undefined as never)',
      'list.ts': 'defineConfig([] as never)',
      'stages.ts': 'defineConfig({} as never)',
      'stages-listed.ts': `defineConfig({ stages: ['dev', 'production'] } as never)`,
      'stage.ts': `defineConfig({ stages: { dev: 'localhost' } } as never)`,
      'hosts.ts': 'defineConfig({ stages: { dev: {} } } as never)',
      'hosts-listed.ts': stage(`['web1.example.com']`),
      'protected.ts': `defineConfig({ stages: { dev: { protected: 'yes', hosts: {} } } } as never)`,
      'host.ts': stage(`{ web1: ['web'] }`),
      'roles.ts': stage('{ web1: {} }'),
      'role.ts': stage(`{ web1: { roles: 'web, app' } }`),
      'role-number.ts': stage('{ web1: { roles: [1] } }'),
      'port.ts': stage(`{ web1: { roles: [], port: '22' } }`),
      'port-big.ts': stage('{ web1: { roles: [], port: 70000 } }'),
      'transport.ts': stage(`{ web1: { roles: [], transport: 'locl' } }`),
      'user.ts': stage(`{ web1: { roles: [], user: secret.env('LOGIN') } }`),
      'root.ts': stage(`{ web1: { roles: [], transport: 'local', root: '' } }`),
      'pools.ts': `defineConfig({ ${STAGES}, pools: { db: 0 } })`,
      'grace.ts': `defineConfig({ ${STAGES}, grace: 'soon' } as never)`,
      'default-stage.ts': `defineConfig({ ${STAGES}, defaultStage: true } as never)`,
      'tasks.ts': `defineConfig({ ${STAGES}, tasks: task('one', { run: () => 1 }) } as never)`,
      'task.ts': `defineConfig({ ${STAGES}, tasks: [() => 1] } as never)`,
      'hooks.ts': `defineConfig({ ${STAGES}, before: { deploy: () => 1 } } as never)`,
      'use.ts': `defineConfig({ ${STAGES}, use: [deploy] } as never)`,
      'deploy.ts': `defineConfig({ ${STAGES}, use: [deploy('shop' as never)] })`,
      'files.ts': `defineConfig({ ${STAGES}, use: [deploy({\n  ${shop},\n  linkedFiles: 'config/database.yml' as never,\n})] })`,
      'file.ts': `defineConfig({ ${STAGES}, use: [deploy({\n  ${shop},\n  linkedFiles: [{ pth: 'config/database.yml' }] as never,\n})] })`,
      'keep.ts': `defineConfig({ ${STAGES}, use: [deploy({\n  ${shop},\n  keepReleases: '5' as never,\n})] })`,
      'unhealthy.ts': `defineConfig({ ${STAGES}, use: [deploy({\n  ${shop},\n  onUnhealthy: 'rolback' as never,\n})] })`,
      'maintenance.ts': `defineConfig({ ${STAGES}, use: [deploy({\n  ${shop},\n  maintenance: { pgae: 'x' } as never,\n})] })`,
      'dump.ts': `defineConfig({ ${STAGES}, use: [postgres({\n  ${databases},\n  dump: { excludeTable: [] } as never,\n})] })`,
      'compress.ts': `defineConfig({ ${STAGES}, use: [postgres({\n  ${databases},\n  dump: { compress: 11 },\n})] })`,
      'recover.ts': `defineConfig({ ${STAGES}, use: [postgres({\n  ${databases},\n  recover: 'dev' as never,\n})] })`,
      'application.ts': `defineConfig({ ${STAGES}, use: [deploy({\n  ${shop.replace('application', 'aplication')},\n} as never)] })`,
      'optional.ts': `defineConfig({ ${STAGES}, use: [deploy({\n  ${shop},\n  linkedFiles: [{}] as never,\n})] })`,
      'masked.ts': `defineConfig({ ${STAGES}, use: [postgres({\n  ${databases},\n  restore: { anonymize: [{ fiel: 'mask.sql' }] } as never,\n})] })`,
    }
    const one = cli()
    for (const [name, text] of Object.entries(values)) {
      one.file(
        name,
        `import { defineConfig, secret, task } from 'deployfile'\nimport { deploy, postgres } from 'deployfile/recipes'\nvoid [secret, task, deploy, postgres]\nexport default ${text}`,
      )
    }
    const lines = Object.keys(values).map((name) => ['-T', '--config', name])
    await expect(await typed(one, lines)).toMatchFileSnapshot('wrong-lines/values.txt')
  })
})
