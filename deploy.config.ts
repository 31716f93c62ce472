// This repository's own config, for `npm run demo`: it deploys examples/disastrously-rails to folders in .demo/ that play the part of hosts.
// For a config as a project would write it, see examples/disastrously-rails/deploy.config.ts.
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig, perStage } from 'deployfile'
import { deploy, passenger, postgres } from 'deployfile/recipes'

const demo = (path: string): string => fileURLToPath(new URL(`.demo/${path}`, import.meta.url))

interface Parts {
  /** Absent where there is no pg_dump: the demo then leaves its database part out. */
  readonly databases?: { readonly dev: string; readonly production: string }
}

// Written by the demo, because the servers' sockets have another path each time.
const { databases }: Parts = existsSync(demo('parts.json'))
  ? (JSON.parse(readFileSync(demo('parts.json'), 'utf8')) as Parts)
  : {}

const app = deploy({
  application: 'disastrously',
  repository: demo('repository.git'),
  branch: perStage({ production: 'master', default: 'staging' }),
  deployTo: 'www/disastrously',
  linkedFiles: ['config/database.env'],
  linkedDirs: ['log', 'tmp/pids', 'public/system'],
  ...(databases && { migrate: 'bin/rake db:migrate' }),
  restart: passenger(),
})

const db =
  databases &&
  postgres({
    application: 'disastrously',
    databases: { ...databases },
    from: 'production',
    backups: '.demo/backups',
  })

export default defineConfig({
  stages: {
    dev: {
      hosts: {
        localhost: { transport: 'local', root: '.demo/hosts/localhost', roles: ['app', 'web', 'db'] },
      },
    },
    production: {
      protected: true,
      hosts: {
        web1: { transport: 'local', root: '.demo/hosts/web1', roles: ['app', 'web', 'db'] },
        web2: { transport: 'local', root: '.demo/hosts/web2', roles: ['app', 'web'] },
      },
    },
  },
  defaultStage: 'dev',
  use: db ? [app, db] : [app],
})
