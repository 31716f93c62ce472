import { defineConfig, task } from 'deployfile'
import { deploy, git, systemd } from 'deployfile/recipes'

const app = deploy({
  application: 'node-systemd',
  repository: 'git@git.example.com:node-systemd.git',
  branch: 'main',
  deployTo: '/srv/node-systemd',
  source: git({ depth: 50 }),
  linkedFiles: [{ path: '.env', upload: '.env.production' }],
  env: { NODE_ENV: 'production' },
  umask: '027',
  // In sudoers on the hosts: deploy ALL=(root) NOPASSWD: /usr/bin/systemctl --system --no-ask-password restart node-systemd.service
  restart: systemd({ unit: 'node-systemd.service', sudo: true }),
  rolling: { batch: 1, wait: '1s' },
  verify: { command: 'test -f server.mjs' },
})

// An ordinary task, before the release goes live: packages are in a cache that releases share, so that only new ones are fetched.
const install = task('npm:install', {
  desc: 'Install what package-lock.json names',
  on: 'app',
  needs: { release: app.tasks.release },
  run: async ({ remote, needs }) => {
    const cache = `${needs.release.path}/../../shared/npm-cache`
    await remote.with({ cwd: needs.release.path }).sh`npm ci --omit=dev --no-audit --no-fund --cache ${cache}`
  },
})

export default defineConfig({
  stages: {
    production: {
      protected: true,
      hosts: {
        'app1.example.com': { roles: ['app'], user: 'deploy', sudo: true },
        'app2.example.com': { roles: ['app'], user: 'deploy', sudo: true },
      },
    },
  },
  defaultStage: 'production',
  use: [app],
  tasks: [install],
  before: { 'deploy:updated': [install] },
})
