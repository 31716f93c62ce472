import { describe, expect, it } from 'vitest'
import { cli, type Cli } from '../cli-harness.ts'

const config = (): Cli =>
  cli().config(`
const prepare = task('prepare', { run: () => 1 })
const build = task('assets:build', {
  desc: 'Build the front end\\nWith vite, into dist.',
  aliases: ['ab'],
  needs: { prepare },
  input: z.object({
    mode: z.enum(['dev', 'prod']).default('prod').describe('build mode'),
    tag: z.string().describe('names the build'),
    jobs: z.number().int().min(1).max(8).default(2),
    only: z.array(z.string()).optional(),
    minify: z.boolean().default(true),
  }),
  run: ({ input }) => input.minify,
})
const upload = task('assets:upload', { desc: 'Upload', on: 'web', needs: { build: build.with({ tag: 'x' }), prepare }, run: () => 1 })
export default defineConfig({
  stages: {
    dev: { hosts: { localhost: { transport: 'local', roles: ['web'] } } },
    production: { protected: true, hosts: { web1: { roles: ['web'] } } },
  },
  defaultStage: 'dev',
  tasks: [upload],
  before: { 'assets:upload': [task('hello', { desc: 'Say hello', effect: 'read', run: () => 1 })] },
})`)

const BUILD = `deployfile [stage] assets:build [mode=…] tag=… [jobs=…] [only=…] [minify=…]
  Build the front end
  With vite, into dist.

  Inputs
    mode=dev|prod                           build mode (default prod)
    tag=text                                names the build (required)
    jobs=whole number from 1 to 8           (default 2)
    only=text, several separated by commas
    minify=true|false                       (default true)

  Also called  ab
  Runs         once, on this machine
  Does         changes what its stage serves; a protected stage asks first
  Needs        prepare
  Declared in  deploy.config.ts:4

  Examples
    deployfile production assets:build tag=…
    deployfile production assets:build tag=… --plan
    deployfile production assets:build tag=… --minify
    deployfile production assets:build tag=… --no-minify

`

describe('help on a task', () => {
  it.each([[['ab', '--help']], [['assets:build', '-h']], [['help', 'assets:build']]])('%j', async (args) => {
    await config()
      .args(...args)
      .ends(0, BUILD)
  })

  it('names hosts and hooks', async () => {
    const { stdout } = await config().args('production', 'assets:upload', '--help').run()
    expect(stdout).toContain('  Runs         on the hosts with the role web\n')
    expect(stdout).toContain('  Needs        assets:build, prepare\n  Before it    hello\n')
  })

  it('is refused for what is no task, with the nearest name', async () => {
    await config()
      .args('asets:build', '--help')
      .ends(
        2,
        '',
        "deployfile: 'asets:build' is neither a stage nor a task\n" +
          "  Did you mean the task 'assets:build'? deployfile -T lists the tasks; the stages are dev, production.\n",
      )
  })
})

describe('-D, -P and -A', () => {
  it('-D describes what a pattern matches', async () => {
    await config().args('-D', 'build').ends(0, BUILD)
  })

  it('-D --json is all that is known', async () => {
    const { stdout } = await config().args('-D', 'build', '--json').run()
    expect(JSON.parse(stdout)).toMatchObject([
      {
        name: 'assets:build',
        runs: 'once, on this machine',
        needs: ['prepare'],
        inputs: [
          {
            key: 'mode',
            required: false,
            values: ['dev', 'prod'],
            default: 'prod',
            description: 'build mode',
          },
          { key: 'tag', required: true, takes: 'text' },
          { key: 'jobs', takes: 'whole number from 1 to 8' },
          { key: 'only', required: false },
          { key: 'minify', kind: 'switch' },
        ],
      },
    ])
  })

  it('-P lists needs as a tree, and what is above only once in full', async () => {
    await config()
      .args('-P')
      .ends(
        0,
        `deployfile assets:build
    prepare
deployfile assets:upload
    assets:build …
    prepare
deployfile hello
`,
      )
  })

  it('-P --json names direct needs', async () => {
    const { stdout } = await config().args('-P', 'upload', '--json').run()
    expect(JSON.parse(stdout)).toMatchObject([{ name: 'assets:upload', needs: ['assets:build', 'prepare'] }])
  })

  it('-W takes a pattern itself', async () => {
    await config().args('-W', 'upload').ends(0, 'deployfile assets:upload  deploy.config.ts:17\n')
  })

  it('are not mixed', async () => {
    await config()
      .args('-D', '-P')
      .ends(2, '', 'deployfile: -D, -P and -W are three different lists\n  Ask for one of them.\n')
  })
})

describe('inputs on the command line', () => {
  const shown = (args: readonly string[]): Cli =>
    cli()
      .config(
        `
const one = task('one', {
  input: z.object({ force: z.boolean().default(true), hosts2: z.array(z.number()).default([]), name: z.string().default('') }),
  run: ({ input, log }) => log(JSON.stringify(input)),
})
export default defineConfig({ stages: { dev: { hosts: {} } }, defaultStage: 'dev', tasks: [one] })`,
      )
      .args(...args)

  it.each([
    [['one', '--no-force'], { force: false }],
    [['one', '--force', 'false'], { force: false }],
    [['one', 'hosts2=1,2'], { hosts2: [1, 2] }],
    [['one', '--hosts2', '3'], { hosts2: [3] }],
    [['one', 'name=a=b c\n"ü"'], { name: 'a=b c\n"ü"' }],
    [['one', '--', 'name=--force'], { name: '--force' }],
  ])('%j', async (args, input) => {
    const { code, stdout } = await shown(args).run()
    expect(code).toBe(0)
    expect(stdout).toContain(JSON.stringify({ force: true, hosts2: [], name: '', ...input }))
  })

  it('takes what stands after -- for words, whatever they look like', async () => {
    const { code, stderr } = await shown(['one', '--', '--plan']).run()
    expect(code).toBe(2)
    expect(stderr).toContain("there is no task '--plan'")
  })
})
