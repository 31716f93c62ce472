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
  'what is wrong is refused, and what is served stays',
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

    /**
     * The whole message: what and where, then what to do. Of a run that failed it is the first paragraph; what was undone and where the
     * log is comes after it. There is no stack.
     */
    function expectMessage(ended: Ended, code: number, ...lines: readonly string[]): void {
      expect(ended.code, ended.output).toBe(code)
      const [paragraph] = ended.stderr.trim().split('\n\n')
      expect(paragraph?.split('\n')).toEqual(lines)
      expect(ended.output).not.toMatch(/^\s+at .*:\d+:\d+\)?$/m)
    }

    test('an unknown task', async () => {
      expectMessage(
        await world.deployfile('production', 'deploy:migration', '--yes'),
        2,
        "deployfile: there is no task 'deploy:migration'",
        "  Did you mean the task 'deploy:migrations'? deployfile -T lists the tasks.",
      )
    })

    test('an unknown stage', async () => {
      expectMessage(
        await world.deployfile('prodction', 'deploy', '--yes'),
        2,
        "deployfile: 'prodction' is neither a stage nor a task",
        "  Did you mean the stage 'production'? deployfile -T lists the tasks; the stages are dev, staging, production.",
      )
    })

    test('an unknown key in the config, with its place', async () => {
      const ended = await world.edited(
        world.files.config,
        (text) => text.replace('"protected": true', '"protectd": true'),
        () => world.deployfile('production', 'deploy', '--yes'),
      )
      expectMessage(
        ended,
        2,
        "deployfile: the stage 'production' has the unknown key 'protectd'",
        '  deploy.config.ts:52:5',
        '    50 |   },',
        '    51 |   "production": {',
        '  > 52 |     "protectd": true,',
        '       |     ^',
        '    53 |     "hosts": {',
        '    54 |       "web1": {',
        "  Did you mean 'protected'?",
      )
    })

    test('an unknown option of a recipe, with its place', async () => {
      const ended = await world.edited(
        world.files.config,
        (text) => text.replace('linkedDirs', 'linkedDir'),
        () => world.deployfile('production', 'deploy', '--yes'),
      )
      expectMessage(
        ended,
        2,
        "deployfile: deploy() has no option 'linkedDir'",
        '  deploy.config.ts:10:3',
        '     8 |   deployTo: (stage) => `www/disastrously-${stage.name}`,',
        "     9 |   linkedFiles: ['config/database.env'],",
        "  > 10 |   linkedDir: ['log', 'tmp/pids', 'public/system'],",
        '       |   ^',
        '    11 |   keepReleases: 5,',
        "    12 |   migrate: 'bin/rake db:migrate',",
        "  Did you mean 'linkedDirs'?",
      )
    })

    test('a linked file that is missing on one host', async () => {
      const shared = join(world.hosts[1].deployment('production').path, 'shared/config')
      renameSync(join(shared, 'database.env'), join(shared, 'away'))
      const ended = await world.deployfile('production', 'deploy', '--yes')
      renameSync(join(shared, 'away'), join(shared, 'database.env'))

      expectMessage(
        ended,
        3,
        '✘ deploy:check failed on db1',
        `  db1: the linked file ${shared}/database.env is missing`,
        `  Put it there: ssh db1 mkdir -p ${shared} && scp config/database.env db1:${shared}/database.env`,
      )
    })

    test('a host that cannot be reached', async () => {
      const [, db1] = world.hosts
      // It was free a moment ago: nobody answers there.
      const port = await freePort()
      const ended = await world.edited(
        world.files.sshConfig,
        (text) => text.replace(`Port ${db1.port}`, `Port ${port}`),
        () => world.deployfile('production', 'deploy', '--yes'),
      )
      expectMessage(
        ended,
        3,
        '✘ deploy:check failed on db1',
        `  db1: 127.0.0.1:${port} cannot be reached: the connection was refused, nothing listens there`,
        // By its name, as ssh_config knows it: jump hosts and keys are then those of the run.
        `  Try: ssh -p ${port} ${db1.user}@db1 true`,
      )
    })

    test('a host whose key is not known', async () => {
      const [, db1] = world.hosts
      const ended = await world.edited(
        world.files.knownHosts,
        (text) => text.replace(`${db1.knownHostsLine}\n`, ''),
        () => world.deployfile('production', 'deploy', '--yes'),
      )
      expectMessage(
        ended,
        3,
        '✘ deploy:check failed on db1',
        `  db1: the host key of 127.0.0.1:${db1.port} is unknown: ssh-ed25519 ${db1.hostKeyFingerprint}`,
        `  Compare it on the host itself (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then add it: ` +
          `ssh-keyscan -p ${db1.port} -t ed25519 127.0.0.1 >> ${world.files.knownHosts}`,
      )
    })

    test('doctor says so before any deploy, and what is well', async () => {
      const [, db1] = world.hosts
      const ended = await world.edited(
        world.files.knownHosts,
        (text) => text.replace(`${db1.knownHostsLine}\n`, ''),
        () => world.deployfile('production', 'doctor'),
      )
      expect(ended.code, ended.output).toBe(3)
      expect(ended.stdout).toMatch(/^web1\n {2}✔ reachable {5}Linux .*\n {2}✔ clock {9}right\n/m)
      expect(ended.stdout).toContain(
        `\ndb1\n  ✘ reachable     the host key of 127.0.0.1:${db1.port} is unknown: ssh-ed25519 ${db1.hostKeyFingerprint}\n    Compare it`,
      )
    })

    test('a host whose key has changed', async () => {
      const [web1, db1] = world.hosts
      // What somebody in the middle looks like: another key under the same address.
      const [, , strange = ''] = web1.knownHostsLine.split(' ')
      const [, , own = ''] = db1.knownHostsLine.split(' ')
      const ended = await world.edited(
        world.files.knownHosts,
        (text) => text.replace(own, strange),
        () => world.deployfile('production', 'deploy', '--yes'),
      )
      expect(ended.code, ended.output).toBe(3)
      expect(ended.stderr).toContain(`the host key of 127.0.0.1:${db1.port} has changed`)
      expect(ended.stderr).toContain(db1.hostKeyFingerprint)
    })

    test('a branch that does not exist', async () => {
      const ended = await world.edited(
        world.files.config,
        (text) => text.replace("production: 'master'", "production: 'mastr'"),
        () => world.deployfile('production', 'deploy', '--yes'),
      )
      expectMessage(
        ended,
        3,
        '✘ deploy:revision failed on web1',
        `  the repository ${world.origin.repository} has no branch or tag "mastr"`,
        "  Did you mean 'master'? It has master, staging. A commit is named by its full hash.",
      )
    })

    test('a migration that fails: nothing of it is kept, and the new release goes', async () => {
      const revision = world.origin.revision('master')
      const file = 'db/migrate/20260301000000_bad.sql'
      world.origin.commit({ [file]: 'create table half ();\nselect 1 / 0;\n' })
      const ended = await world.deployfile('production', 'deploy:migrations', '--yes')

      expectMessage(
        ended,
        1,
        '✘ deploy:migrate failed on db1',
        `  db1: the migration failed: migration ${file} failed; nothing of it was kept, those before it were`,
        "  $ sh -e -c 'bin/rake db:migrate'",
        '  exit 1',
        '  | == 20260301000000 bad: migrating',
        `  ! psql:${file}:2: ERROR:  division by zero`,
        '  ! rake aborted!',
        `  ! migration ${file} failed; nothing of it was kept, those before it were`,
        "  'current' was not touched. Migrations that ran before the one that failed stay applied.",
      )
      expect(ended.stderr).toContain('Undone: deploy:release on web1, db1')
      expect(psql(world.databases.production, "select to_regclass('half') is null")).toBe('t')
      for (const host of world.hosts) {
        expect(host.deployment('production').read('current/REVISION')).toBe(`${revision}\n`)
      }
      world.origin.commit({ [file]: null })
    })

    // A mount of its own hides PostgreSQL's programs from one process, where the machine allows that.
    const hide = ['--mount', ...(process.getuid?.() === 0 ? [] : ['--map-root-user'])]
    const canHide = spawnSync('unshare', [...hide, 'true']).status === 0

    // In CI it runs all the same, and fails where it cannot be staged.
    const leftOut = !canHide && process.env['CI'] !== 'true'
    if (leftOut)
      console.warn('SKIPPED: a missing pg_dump; this machine does not let unshare(1) mount anything')

    test.skipIf(leftOut)('no pg_dump on the host', async () => {
      const script = `for folder in /usr/lib/postgresql /usr/pgsql-*; do
      [ ! -d "$folder" ] || mount -t tmpfs none "$folder" || exit 99
    done
    exec npx deployfile db:backup:create`
      const ended = await start('unshare', [...hide, 'sh', '-c', script], {
        cwd: world.project,
        env: world.env,
      }).ended
      expectMessage(
        ended,
        3,
        '✘ db:backup:create failed on localhost',
        '  localhost has no psql, pg_dump, pg_restore',
        '  Install the client programs of PostgreSQL there: sudo apt-get install postgresql-client',
      )
    })
  },
)
