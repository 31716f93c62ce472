import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stageDeployfile } from './bundle.mjs'

/**
 * A project that has `deployfile` as it is published, without npm: what it depends on is linked from here. With a config of the
 * recipes and 20 tasks of its own. Needs the build.
 */
export async function stageProject(root, folder) {
  const modules = join(folder, 'node_modules')
  mkdirSync(join(folder, '.git'), { recursive: true })
  await stageModules(root, modules)
  writeFileSync(join(folder, 'package.json'), '{ "name": "project", "private": true, "type": "module" }\n')
  writeFileSync(join(folder, 'deploy.config.ts'), CONFIG)
  return join(modules, 'deployfile/bin/deployfile.js')
}

/** A folder of packages in which `deployfile` is as it is published. What it depends on is linked from here. Needs the build. */
export async function stageModules(root, modules) {
  mkdirSync(modules, { recursive: true })
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (name !== 'deployfile' && !name.startsWith('.'))
      symlinkSync(join(root, 'node_modules', name), join(modules, name))
  }
  await stageDeployfile(root, join(modules, 'deployfile'))
}

const CONFIG = `import { defineConfig, perStage, task } from 'deployfile'
import { deploy, passenger, postgres } from 'deployfile/recipes'
import * as z from 'zod'

const app = deploy({
  application: 'app',
  repository: 'git@git.example.com:app.git',
  branch: perStage({ production: 'master', default: 'staging' }),
  deployTo: '/var/www/app',
  restart: passenger(),
})
const db = postgres({
  application: 'app',
  databases: { dev: 'postgresql:///app_dev', production: 'postgresql://app@/app_production' },
  from: 'production',
})
const own = Array.from({ length: 20 }, (_, index) =>
  task(\`own:t\${index}\`, {
    desc: \`Task \${index}\`,
    input: z.object({ mode: z.enum(['dev', 'prod']).default('prod') }),
    run: ({ input }) => input.mode,
  }),
)

export default defineConfig({
  stages: {
    dev: { hosts: { localhost: { transport: 'local', roles: ['app', 'web', 'db'] } } },
    production: { protected: true, hosts: { web1: { roles: ['app', 'web'] }, db1: { roles: ['app', 'db'] } } },
  },
  defaultStage: 'dev',
  use: [app, db],
  tasks: own,
})
`
