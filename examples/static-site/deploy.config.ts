import { defineConfig, task } from 'deployfile'
import { deploy, directory } from 'deployfile/recipes'

// Built here, or in CI, before anything is locked or made on a host: what is in dist/ is packed once, and every host gets the same bytes.
const build = task('site:build', {
  desc: 'Build the pages',
  effect: 'read',
  run: async ({ local }) => {
    await local.sh`node build.mjs`
  },
})

const site = deploy({
  application: 'static-site',
  deployTo: '/srv/static-site',
  source: directory({ path: 'dist' }),
  keepReleases: 3,
})

export default defineConfig({
  stages: {
    production: { protected: true, hosts: { 'www.example.com': { roles: ['web'], user: 'deploy' } } },
  },
  defaultStage: 'production',
  use: [site],
  tasks: [build],
  before: { 'deploy:starting': [build] },
})
