import { defineConfig, group, namespace } from 'deployfile'
import { command, deploy, git } from 'deployfile/recipes'

// One repository, two applications: each is a folder of it, with its own place, hosts and releases.
const repository = 'git@git.example.com:monorepo.git'
const branch = 'main'

const api = namespace(
  'api',
  deploy({
    ...{ application: 'api', repository, branch, deployTo: '/srv/api', on: 'api' },
    source: git({ path: 'api' }),
    restart: command('touch restarted', { timeout: '1m' }),
  }),
)
const shop = namespace(
  'shop',
  deploy({
    ...{ application: 'shop', repository, branch, deployTo: '/srv/shop', on: 'shop' },
    source: git({ path: 'shop' }),
  }),
)

// `deployfile production api:deploy` deploys one; this deploys both, at the same time as far as their hosts go.
const both = group(
  'both',
  { api: api.tasks.deploy, shop: shop.tasks.deploy },
  { desc: 'Deploy both applications' },
)

export default defineConfig({
  stages: {
    production: {
      protected: true,
      hosts: {
        'api.example.com': { roles: ['api'], user: 'deploy' },
        'shop.example.com': { roles: ['shop'], user: 'deploy' },
      },
    },
  },
  defaultStage: 'production',
  use: [api, shop],
  tasks: [both],
})
