import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { readCompiled } from '../../src/config/compiled.ts'
import { cli, type Cli } from '../cli-harness.ts'

const HOSTS = `export enum Place { Web = 'web' }\nexport const desc: string = 'First'\n`
const CONFIG = `import { desc, Place } from './hosts'
const late = await Promise.resolve('late')
export default defineConfig({ stages: { dev: { hosts: { [Place.Web]: { roles: ['web'] } } } }, tasks: [
  task('one', { desc, run: () => late }),
] })`

/** With a folder of packages of its own: the cache lies in it. */
const project = (): Cli => cli().modules().file('hosts.ts', HOSTS).config(CONFIG).args('-T')

const kept = (one: Cli): string => path.join(one.root, 'node_modules/.cache/deployfile')

describe('a compiled config', () => {
  it('is what runs the next time, with places in the sources', async () => {
    const one = project()
    await one.ends(0, 'deployfile one  # First\n')
    const [name = ''] = readdirSync(kept(one))
    const file = path.join(kept(one), name)
    // Nothing else is loaded: what is changed there is what is read.
    writeFileSync(file, readFileSync(file, 'utf8').replace("'First'", "'Kept'"))
    await one.next('-T').ends(0, 'deployfile one  # Kept\n')
    await one.next('-W').ends(0, 'deployfile one  deploy.config.ts:5\n')
  })

  it('is not used when a file that it was made from changes', async () => {
    const one = project()
    await one.run()
    expect(readCompiled(path.join(one.root, 'deploy.config.ts'))).toBeDefined()
    one.file('hosts.ts', HOSTS.replace('First', 'Second'))
    expect(readCompiled(path.join(one.root, 'deploy.config.ts'))).toBeUndefined()
    // By content, not by time: what is as it was needs no compiler.
    one.file('hosts.ts', HOSTS)
    expect(readCompiled(path.join(one.root, 'deploy.config.ts'))).toBeDefined()
  })

  it('is not read when it was cut off', async () => {
    const one = project()
    await one.run()
    const [name = ''] = readdirSync(kept(one))
    writeFileSync(path.join(kept(one), name), '{"made":')
    await one.next('-T').ends(0, 'deployfile one  # First\n')
  })

  it('tells of what is thrown as the first time', async () => {
    const one = cli()
      .modules()
      .file(
        'deploy.config.ts',
        `enum A { B }\nif (process.env['DEPLOYFILE_TEST_THROW']) throw new Error('no')\nexport default 1`,
      )
      .args('-T')
    expect((await one.run()).stderr).toContain('exports a value of type number by default')
    process.env['DEPLOYFILE_TEST_THROW'] = '1'
    try {
      expect((await one.next('-T').run()).stderr).toContain(
        'deploy.config.ts threw Error: no\n  deploy.config.ts:2:',
      )
    } finally {
      delete process.env['DEPLOYFILE_TEST_THROW']
    }
  })

  it('is not kept of modules that import each other, which run all the same', async () => {
    const one = cli()
      .modules()
      .file('a.ts', `import { b } from './b.ts'\nexport const a = () => b\n`)
      .file('b.ts', `import { a } from './a.ts'\nexport const b = 'First'\nexport const c = () => a()\n`)
      .config(
        `import { a } from './a.ts'\nexport default defineConfig({ stages: { dev: { hosts: {} } }, tasks: [task('one', { desc: a(), run: () => 1 })] })`,
      )
      .args('-T')
    await one.ends(0, 'deployfile one  # First\n')
    expect(readCompiled(path.join(one.root, 'deploy.config.ts'))).toBeUndefined()
    await one.next('-T').ends(0, 'deployfile one  # First\n')
  })
})

describe('where a config is', () => {
  const NAMED = `import { defineConfig, task } from 'deployfile'
export default defineConfig({ stages: { dev: { hosts: {} } }, tasks: [task('one', { desc: 'One', run: () => 1 })] })`

  it('package.json may say', async () => {
    await cli()
      .file('package.json', '{ "deployfile": "ops/deploy.ts" }')
      .file('ops/deploy.ts', NAMED)
      .args('-T')
      .ends(0, 'deployfile one  # One\n')
  })

  it('package.json may be wrong about', async () => {
    await cli()
      .file('package.json', '{ "deployfile": "ops/deploy.ts" }')
      .args('-T')
      .ends(
        2,
        '',
        `deployfile: "deployfile" in <root>/package.json names <root>/ops/deploy.ts, which does not exist
  Write the path of the config, from the folder of package.json: "deployfile": "ops/deploy.config.ts"
`,
      )
  })

  it('is no folder of that name', async () => {
    await cli()
      .file('deploy.config.ts/x', '')
      .args('-T')
      .ends(
        2,
        '',
        'deployfile: <root>/deploy.config.ts is a folder\n  The config is a file of that name. Name another one with --config.\n',
      )
  })
})
