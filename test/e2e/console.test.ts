import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startPostgres, type PostgresServer } from '../servers/postgres.ts'
import { servicesFound } from '../servers/service.ts'
import { startSshd, type SshHost } from '../servers/sshd.ts'
import { tempFolder } from '../servers/temp.ts'
import { start, until, type Ended } from './command.ts'

// psql on a terminal of its own, as a person has it: typed is what a person types, read is what stands on the screen.

const PACKAGE = fileURLToPath(new URL('../../packages/deployfile', import.meta.url))

const hasTerminal = ((): boolean => {
  try {
    execFileSync('script', ['-qec', 'true', '/dev/null'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

describe.runIf(servicesFound('postgres', 'sshd') && hasTerminal)(
  'a program of a task on the terminal',
  () => {
    const folder = tempFolder('console')
    const program = join(folder.path, 'node_modules/.bin/deployfile')
    let server: PostgresServer
    let host: SshHost
    let env: NodeJS.ProcessEnv
    beforeAll(async () => {
      ;[server, host] = await Promise.all([startPostgres({ auth: 'scram' }), startSshd({ name: 'db1' })])
      for (const stage of ['dev', 'production']) {
        await server.psql(`CREATE DATABASE shop_${stage}`)
        await server.psql('CREATE TABLE orders (id int)', `shop_${stage}`)
      }
      mkdirSync(join(folder.path, 'node_modules/.bin'), { recursive: true })
      symlinkSync(PACKAGE, join(folder.path, 'node_modules/deployfile'))
      symlinkSync('../deployfile/bin/deployfile.js', program)
      writeFileSync(join(folder.path, 'known_hosts'), `${host.knownHostsLine}\n`)
      writeFileSync(join(folder.path, 'ssh_config'), host.sshConfig(join(folder.path, 'known_hosts')))
      writeFileSync(join(folder.path, '.psqlrc'), "\\echo 'my own psqlrc'\n\\set PROMPT1 'mine '\n")
      writeFileSync(
        join(folder.path, 'deploy.config.ts'),
        `import { defineConfig, secret, task } from 'deployfile'
import { postgres } from 'deployfile/recipes'
const password = secret.env('TEST_CONSOLE_PASSWORD')
const url = (stage: string) => ({ url: '${server.url('shop_')}' + stage, password })
export default defineConfig({
  stages: {
    dev: { hosts: { localhost: { transport: 'local', roles: ['db'] } } },
    staging: { hosts: { db1: { roles: ['db'] } } },
    production: { protected: true, hosts: { db1: { roles: ['db'] } } },
  },
  defaultStage: 'dev',
  use: [postgres({ databases: { dev: url('dev'), staging: { ...url('dev'), via: 'tunnel' }, production: url('production') }, from: 'production' })],
  tasks: [
    task('shows', { on: 'db', effect: 'read', run: ({ remote }) =>
      remote.attach\`stty size; printf 'who? '; read -r name; echo "I am $name"; exit 3\` }),
  ],
})
`,
      )
      env = {
        ...{ PATH: process.env['PATH'], HOME: folder.path, LANG: 'C.UTF-8', TERM: 'xterm', PAGER: 'cat' },
        ...{ DEPLOYFILE_SSH_CONFIG: 'ssh_config', TEST_CONSOLE_PASSWORD: server.password },
      }
    })
    afterAll(async () => {
      await Promise.all([server.stop(), host.stop()])
      await folder.remove()
    })

    /** A terminal of 33 lines with a command on it. */
    function typed(command: string) {
      const line = `stty cols 200 rows 33; exec '${program}' ${command}`
      const child = spawn('script', ['-qefc', line, '/dev/null'], {
        ...{ cwd: folder.path, env, stdio: ['pipe', 'pipe', 'inherit'] },
      })
      let screen = ''
      let seen = 0
      child.stdout.on('data', (chunk: Buffer) => (screen += chunk.toString()))
      const ended = once(child, 'close') as Promise<[number | null]>
      return {
        async sees(text: string): Promise<void> {
          try {
            await until(text, () => screen.includes(text, seen))
          } catch (error) {
            throw new Error(`${String(error)}; the screen: ${screen}`)
          }
          seen = screen.indexOf(text, seen) + text.length
        },
        types: (text: string): void => void child.stdin.write(text),
        async ends(): Promise<{ readonly code: number | null; readonly screen: string }> {
          const [code] = await ended
          return { code, screen }
        },
      }
    }
    const without = (...args: readonly string[]): Promise<Ended> =>
      start(program, args, { cwd: folder.path, env }).ended
    const rows = (stage: string): Promise<string> =>
      server.psql('SELECT count(*) FROM orders', `shop_${stage}`)
    const backends = (): Promise<string> =>
      server.psql("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'deployfile%'")
    const left = (base: string): readonly string[] => {
      const backups = join(base, '.deployfile/backups')
      return existsSync(backups) ? readdirSync(backups) : []
    }
    const recorded = (): string =>
      execFileSync('sh', ['-c', 'cat .deployfile/runs/*/events.jsonl'], {
        cwd: folder.path,
        encoding: 'utf8',
      })

    test('db:console is psql at the database of the stage; Ctrl-C is for psql', async () => {
      const person = typed('db:console')
      await person.sees('my own psqlrc')
      await person.sees('dev shop_dev=# ')
      person.types('INSERT INTO orders VALUES (1);\r')
      await person.sees('INSERT 0 1')
      person.types('SELECT pg_sleep(60);\r')
      const sleeps =
        "SELECT count(*) FROM pg_stat_activity WHERE query ~ '^SELECT pg_sleep' AND state = 'active'"
      while ((await server.psql(sleeps)) === '0') await new Promise((wake) => setTimeout(wake, 20))
      // Its password is in no argument and in no variable of anybody but the command that was given it.
      const processes = execFileSync('ps', ['axwwe', '-o', 'args'], { encoding: 'utf8' })
      const [psql = ''] = processes.split('\n').filter((one) => one.includes(`port='${String(server.port)}'`))
      expect(psql).toMatch(/^\S*bin\/psql -w -d /)
      expect(psql.replaceAll(/TEST_CONSOLE_PASSWORD=\S+/g, '')).not.toContain(server.password)
      person.types('\u0003')
      await person.sees('canceling statement due to user request')
      person.types('\\q\r')
      const { code, screen } = await person.ends()
      expect(code, screen).toBe(0)
      expect(screen.slice(-200)).toContain('✔ done after')
      expect(await rows('dev')).toBe('1')
      expect(left(folder.path)).toEqual([])
    })

    test('over ssh a protected stage is read-only, and says so', async () => {
      const person = typed('production db:console')
      await person.sees('production is open read-only')
      await person.sees('production, read-only shop_production=# ')
      person.types("SELECT 'é' || 1;\r")
      await person.sees(' é1')
      person.types('INSERT INTO orders VALUES (1);\r')
      await person.sees('cannot execute INSERT in a read-only transaction')
      person.types('SELECT pg_sleep(60);\r')
      await person.sees('pg_sleep(60);')
      person.types('\u0003')
      await person.sees('canceling statement due to user request')
      expect(left(host.home)).toEqual([])
      person.types('\u0004')
      const { code, screen } = await person.ends()
      expect(code, screen).toBe(0)
      expect(await rows('production')).toBe('0')
      expect(recorded()).not.toContain(server.password)
      expect(recorded()).not.toContain('INSERT INTO')
    })

    test('to write to it its name is typed', async () => {
      const person = typed('production db:console write=true')
      await person.sees('Type production to go on')
      person.types('production\r')
      await person.sees('production shop_production=# ')
      person.types('INSERT INTO orders VALUES (1);\r')
      await person.sees('INSERT 0 1')
      person.types('\\q\r')
      expect((await person.ends()).code).toBe(0)
      expect(await rows('production')).toBe('1')
    })

    test('through a tunnel it is the psql of this machine', async () => {
      const person = typed('staging db:console write=false')
      await person.sees('my own psqlrc')
      await person.sees('staging, read-only shop_dev=# ')
      person.types('\\q\r')
      expect((await person.ends()).code).toBe(0)
    })

    test('a signal from elsewhere ends the run and psql, and leaves nothing', async () => {
      for (const [stage, home] of [
        ['dev', folder.path],
        ['production', host.home],
      ] as const) {
        const person = typed(`${stage} db:console`)
        await person.sees(`shop_${stage}=# `)
        const pattern = `${program} ${stage} db:console`
        const [pid] = execFileSync('pgrep', ['-fx', `node ${pattern}`], { encoding: 'utf8' }).split('\n')
        process.kill(Number(pid), 'SIGTERM')
        const { code, screen } = await person.ends()
        expect(code, screen).toBe(143)
        while ((await backends()) !== '0') await new Promise((wake) => setTimeout(wake, 20))
        expect(left(home)).toEqual([])
      }
    })

    test('without a terminal nothing is connected, and it is said what to do', async () => {
      const { code, stderr } = await without('production', 'db:console')
      expect(code).toBe(3)
      expect(stderr).toContain("'db:console' needs a terminal, and there is none")
      expect(stderr).toContain('deployfile production exec -r db')
      const dry = await without('production', 'db:console', '-n')
      expect(dry.code, dry.output).toBe(0)
      expect(dry.output).toContain("would: psql 'shop_production' (on the terminal)")
    })

    test('any task can: the size of the screen and the keys arrive, its exit code fails the task', async () => {
      const person = typed('production shows')
      await person.sees('33 200')
      await person.sees('who? ')
      person.types('jan\r')
      await person.sees('I am jan')
      const { code, screen } = await person.ends()
      expect(code, screen).toBe(1)
      expect(screen).toMatch(/shows failed[^]* exit 3\r\n/)
      // The cursor goes where the program over there has sent it.
      expect(screen).toContain('I am jan\r\n')
    })
  },
)
