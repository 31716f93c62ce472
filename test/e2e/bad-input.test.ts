import { spawnSync } from 'node:child_process'
import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { freePort } from '../servers/port.ts'
import { servicesFound } from '../servers/service.ts'
import { start, type Ended } from './command.ts'
import { psql } from './database.ts'
import { startWorld, type World } from './world.ts'

describe.runIf(servicesFound('sshd', 'postgres'))(
  'what is wrong is refused with one message, and what is served stays',
  () => {
    let world: World
    let before: unknown

    beforeAll(async () => {
      world = await startWorld({ databases: ['production', 'dev'] })
      const first = await world.deployfile('production', 'deploy:migrations', '--yes')
      expect(first, first.output).toMatchObject({ code: 0 })
    })
    afterAll(() => world.stop())
    beforeEach(() => {
      before = world.state()
    })
    // The one promise that every line below has in common.
    afterEach(() => {
      expect(world.state()).toEqual(before)
    })

    /** One message, no stack. */
    function expectRefused(ended: Ended, code: number, ...parts: readonly (string | RegExp)[]): void {
      expect(ended.code, ended.output).toBe(code)
      for (const part of parts) expect(ended.stderr).toMatch(part)
      expect(ended.output).not.toMatch(/^\s+at .*:\d+:\d+\)?$/m)
    }

    test('an unknown task', async () => {
      const ended = await world.deployfile('production', 'deploy:migration', '--yes')
      expectRefused(ended, 2)
      expect(ended.stderr).toBe(
        `deployfile: there is no task 'deploy:migration'
  Did you mean the task 'deploy:migrations'? deployfile -T lists the tasks.
`,
      )
    })

    test('an unknown stage', async () => {
      const ended = await world.deployfile('prodction', 'deploy', '--yes')
      expectRefused(ended, 2)
      expect(ended.stderr).toBe(
        `deployfile: 'prodction' is neither a stage nor a task
  Did you mean the stage 'production'? deployfile -T lists the tasks; the stages are dev, staging, production.
`,
      )
    })

    test('an unknown key in the config', async () => {
      const ended = await world.edited(
        world.files.config,
        (text) => text.replace('"protected": true', '"protectd": true'),
        () => world.deployfile('production', 'deploy', '--yes'),
      )
      expectRefused(
        ended,
        2,
        'protectd',
        "Did you mean 'protected'?",
        /deploy\.config\.ts:\d+:\d+/,
        /> +\d+ \|.*"protectd": true/,
      )
    })

    test('an unknown key among the options of a recipe', async () => {
      const ended = await world.edited(
        world.files.config,
        (text) => text.replace('linkedDirs', 'linkedDir'),
        () => world.deployfile('production', 'deploy', '--yes'),
      )
      expectRefused(
        ended,
        2,
        "deploy() has no option 'linkedDir'",
        "Did you mean 'linkedDirs'?",
        /deploy\.config\.ts:\d+:\d+/,
      )
    })

    test('a linked file that is missing on one host', async () => {
      const [, second] = world.hosts
      const shared = join(second.deployment('production').path, 'shared/config')
      renameSync(join(shared, 'database.env'), join(shared, 'away'))
      const ended = await world.deployfile('production', 'deploy', '--yes')
      renameSync(join(shared, 'away'), join(shared, 'database.env'))

      expectRefused(ended, 3, second.name, 'shared/config/database.env')
    })

    test('a host that cannot be reached', async () => {
      // It was free a moment ago: nobody answers there.
      const port = await freePort()
      const [, db1] = world.hosts
      const ended = await world.edited(
        world.files.sshConfig,
        (text) => text.replace(`Port ${db1.port}`, `Port ${port}`),
        () => world.deployfile('production', 'deploy', '--yes'),
      )
      expectRefused(ended, 3, 'db1', String(port), /refused/)
    })

    test('a host whose key is not known', async () => {
      const [, db1] = world.hosts
      const ended = await world.edited(
        world.files.knownHosts,
        (text) => text.replace(`${db1.knownHostsLine}\n`, ''),
        () => world.deployfile('production', 'deploy', '--yes'),
      )
      expectRefused(ended, 3, 'db1', /host key/i, db1.hostKeyFingerprint, 'ssh-keyscan')
    })

    test('a branch that does not exist', async () => {
      const ended = await world.edited(
        world.files.config,
        (text) => text.replace("production: 'master'", "production: 'mastr'"),
        () => world.deployfile('production', 'deploy', '--yes'),
      )
      expectRefused(ended, 3, 'mastr')
    })

    test('a migration that fails', async () => {
      const revision = world.origin.revision('master')
      world.origin.commit({ 'db/migrate/20260301000000_bad.sql': 'create table half ();\nselect 1 / 0;\n' })
      const ended = await world.deployfile('production', 'deploy:migrations', '--yes')

      expectRefused(ended, 1, 'deploy:migrate', 'division by zero', 'db/migrate/20260301000000_bad.sql')
      expect(psql(world.databases.production, "select to_regclass('half') is null")).toBe('t')
      for (const host of world.hosts)
        expect(host.deployment('production').read('current/REVISION')).toBe(`${revision}\n`)
      world.origin.commit({ 'db/migrate/20260301000000_bad.sql': null })
    })

    // A mount of its own hides PostgreSQL's programs from one process, where the machine allows that.
    const hide = ['--mount', ...(process.getuid?.() === 0 ? [] : ['--map-root-user'])]
    const canHide = spawnSync('unshare', [...hide, 'true']).status === 0

    test.skipIf(!canHide)('no pg_dump on the host', async () => {
      const script = `for folder in /usr/lib/postgresql /usr/pgsql-*; do
      [ ! -d "$folder" ] || mount -t tmpfs none "$folder" || exit 99
    done
    exec npx deployfile db:backup:create`
      const ended = await start('unshare', [...hide, 'sh', '-c', script], {
        cwd: world.project,
        env: world.env,
      }).ended
      expectRefused(ended, 3, 'pg_dump', 'apt-get install postgresql-client')
    })
  },
)
