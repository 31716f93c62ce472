import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const TASKS = 1000
/** Type instantiations a task: more, and editors begin to lag on a config of a few hundred tasks. */
const LIMIT = 850

/**
 * What a config costs the compiler: 1,000 tasks with three needs, input, run and undo each. tsc counts the same on every machine; its
 * times do not say anything here. Needs the build.
 */
export function checkCompileCost(root) {
  const per = (instantiations(root, TASKS) - instantiations(root, 3)) / (TASKS - 3)
  console.log(`${per.toFixed(0)} instantiations a task, at most ${LIMIT}`)
  return per <= LIMIT
}

function instantiations(root, tasks) {
  const { stdout } = compile(root, generate(tasks), { noEmit: true })
  const count = /^Instantiations:\s+(\d+)/m.exec(stdout)?.[1]
  if (/error TS/.test(stdout) || count === undefined)
    throw new Error(`the generated config does not compile:\n${stdout}`)
  return Number(count)
}

function generate(tasks) {
  const one = (index) => {
    const needs = [1, 2, 3].filter((back) => index >= back).map((back) => `n${back}: t${index - back}`)
    const sum = needs
      .map((need) => `needs.${need.slice(0, 2)}.count`)
      .concat('1')
      .join(' + ')
    return `export const t${index} = task('app:t${index}', {
  desc: 'Task ${index}',
  input: z.object({ mode: z.enum(['dev', 'prod']).default('prod'), tag: z.string().optional() }),
  needs: { ${needs.join(', ')} },
  async run({ needs, input, log }) {
    log(input.mode)
    return { count: ${sum}, tag: input.tag }
  },
  async undo({ result, log }) {
    log(String(result?.count))
  },
})`
  }
  const names = Array.from({ length: tasks }, (_, index) => `t${index}`).join(', ')
  return `import { defineConfig, task } from 'deployfile'
import * as z from 'zod'
${Array.from({ length: tasks }, (_, index) => one(index)).join('\n')}
export default defineConfig({ stages: { dev: { hosts: {} } }, tasks: [${names}] })
`
}

/** What a config exports gets declarations, as in a monorepo whose packages import each other's tasks; every type in them has a name. */
export function checkDeclarations(root) {
  const { stdout, status, declarations } = compile(root, EXPORTS, { declaration: true })
  if (status !== 0) console.error(stdout)
  // tsc writes these down without an error, and whoever imports the config then sees any.
  const unnamed = [...declarations.matchAll(/import\("(@deployfile[^"]*)"\)\.(\w+)/g)]
  for (const [, from, name] of unnamed)
    console.error(`deployfile does not export the type ${name} of ${from}`)
  return status === 0 && unnamed.length === 0
}

const EXPORTS = `import { all, defineConfig, group, namespace, optional, override, perStage, recipe, secret, task, where } from 'deployfile'
import { deploy, passenger } from 'deployfile/recipes'
import * as z from 'zod'
declare module 'deployfile' {
  interface HostProps {
    region?: 'eu' | 'us'
  }
}
export const app = deploy({
  application: 'shop',
  repository: 'git@git.example.com:shop.git',
  branch: perStage({ staging: 'main', default: 'master' }),
  deployTo: '/srv/shop',
  restart: passenger(),
})
export const api = namespace('api', app)
export const onWeb = task.preset({ on: 'web', onError: 'warn' })
export const password = secret.env('PASSWORD')
export const build = task('build', {
  input: z.object({ mode: z.enum(['dev', 'prod']).default('prod') }),
  when: ({ stage }) => stage.protected,
  async run({ input }) {
    return { mode: input.mode }
  },
  undo({ result }) {
    void result?.mode
  },
})
export const upload = onWeb('upload', {
  needs: { build: build.with({ mode: 'dev' }), release: app.tasks.release, maybe: optional(api.tasks.publish) },
  run: ({ needs, host }) => ({ from: needs.release.path, to: host.name, region: host.props.region }),
})
export const near = task('near', { on: where((host) => host.props.region === 'eu'), needs: { all: all(upload) }, run: ({ needs }) => needs.all })
export const revision = override(app.tasks.revision, { run: ({ base }) => base() })
export const both = group('both', { upload, near })
export const mine = recipe({ upload, both })
export const needs = { every: all(upload), perhaps: optional(near) }
export default defineConfig({
  stages: { staging: { hosts: { web1: { roles: ['web', 'db'], props: { region: 'eu' } } } } },
  use: [app, api, mine],
  tasks: [revision],
  before: { 'api:deploy:updated': [near], upload: [build] },
})
`

/** Compiles a project of one deploy.config.ts that has installed this build, as a user would. */
function compile(root, config, options) {
  const folder = mkdtempSync(join(tmpdir(), 'deployfile-compile-'))
  try {
    // As pnpm installs: what deployfile itself stands on is not within the project's reach, so each type must have a name in deployfile.
    mkdirSync(join(folder, 'node_modules'))
    symlinkSync(join(root, 'packages/deployfile'), join(folder, 'node_modules/deployfile'))
    symlinkSync(join(root, 'node_modules/zod'), join(folder, 'node_modules/zod'))
    writeFileSync(join(folder, 'deploy.config.ts'), config)
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }))
    const compilerOptions = {
      ...options,
      outDir: 'out',
      rootDir: '.',
      typeRoots: [join(root, 'node_modules/@types')],
    }
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        extends: join(root, 'tsconfig.base.json'),
        compilerOptions,
        files: ['deploy.config.ts'],
      }),
    )
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    const { stdout, status } = spawnSync(
      process.execPath,
      [tsc, '-p', folder, '--extendedDiagnostics', '--pretty', 'false'],
      {
        encoding: 'utf8',
        maxBuffer: 1 << 26,
      },
    )
    const emitted = join(folder, 'out/deploy.config.d.ts')
    return { stdout, status, declarations: existsSync(emitted) ? readFileSync(emitted, 'utf8') : '' }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
