import { defineConfig, perStage } from 'deployfile'
import { deploy, passenger, postgres } from 'deployfile/recipes'

const app = deploy({
  application: 'disastrously',
  repository: 'git@git.example.com:disastrously.git',
  branch: perStage({ staging: 'staging', production: 'master', default: 'master' }),
  deployTo: '/var/www/disastrously',
  linkedFiles: ['config/database.env'],
  linkedDirs: ['log', 'tmp/pids', 'public/system'],
  keepReleases: 5,
  migrate: 'bin/rake db:migrate',
  restart: passenger(),
})

// As seen from the database host of each stage; passwords are in the ~/.pgpass of the login there.
const db = postgres({
  databases: {
    dev: 'postgresql:///disastrously_dev',
    staging: 'postgresql:///disastrously_staging',
    production: 'postgresql:///disastrously_production',
  },
  from: 'production',
})

export default defineConfig({
  stages: {
    dev: { hosts: { localhost: { transport: 'local', roles: ['app', 'web', 'db'] } } },
    staging: { hosts: { 'staging.example.com': { roles: ['app', 'web', 'db'], user: 'deploy' } } },
    production: {
      protected: true,
      hosts: {
        'web1.example.com': { roles: ['app', 'web'], user: 'deploy' },
        'db1.example.com': { roles: ['app', 'db'], user: 'deploy' },
      },
    },
  },
  defaultStage: 'dev',
  use: [app, db],
})
