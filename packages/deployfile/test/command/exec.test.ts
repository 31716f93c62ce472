import { describe, expect, it } from 'vitest'
import { cli, type Cli } from '../cli-harness.ts'

const config = (): Cli =>
  cli().config(`
export default defineConfig({
  stages: {
    dev: { hosts: { a: { transport: 'local', root: '.', roles: ['web'] }, b: { transport: 'local', root: '.', roles: ['db'] } } },
    production: { protected: true, hosts: { prod1: { transport: 'local', root: '.', roles: ['web'] } } },
  },
  defaultStage: 'dev',
  tasks: [],
})`)

describe('exec', () => {
  it('runs a command as it is typed on every host, and says which said what', async () => {
    const { code, stdout } = await config().args('exec', 'echo "$((6*7))" | tr 4 x').run()
    expect(code).toBe(0)
    expect(stdout).toContain('01 echo "$((6*7))" | tr 4 x\n')
    expect(stdout).toContain('01 a: x2\n')
    expect(stdout).toContain('01 b: x2\n')
  })

  it('takes hosts and roles, and words after --', async () => {
    const { code, stdout } = await config().args('dev', 'exec', '-r', 'db', '--', 'echo', '--plan').run()
    expect(code).toBe(0)
    expect(stdout).toContain('✔ 01 b')
    expect(stdout).not.toContain('✔ 01 a')
    expect(stdout).toContain('--plan\n')
  })

  it('that fails is 1, with what it printed', async () => {
    const { code, stderr } = await config().args('exec', '-z', 'a', 'echo no >&2; exit 4').run()
    expect(code).toBe(1)
    expect(stderr).toContain('✘ exec failed on a\n  $ echo no >&2; exit 4\n  exit 4\n  | no\n')
  })

  it('asks on a protected stage', async () => {
    const { code, stderr } = await config().args('production', 'exec', 'true').run()
    expect(code).toBe(3)
    expect(stderr).toContain('production is protected. This changes it:\n  exec on prod1\n')
    expect((await config().args('production', 'exec', 'true', '--yes').run()).code).toBe(0)
  })

  it.each([
    [['exec'], "there is no command to run\n  Say which, in quotes: deployfile production exec 'uptime'\n"],
    [['stagin', 'exec', 'true'], "there is no stage 'stagin'\n  The stages are dev, production.\n"],
    [
      ['exec', 'ls', '-la'],
      "unknown option '-la'\n  What belongs to the command stands in its quotes, or after --: deployfile exec -- ls -la\n",
    ],
  ])('%j is refused', async (args, said) => {
    await config()
      .args(...args)
      .ends(2, '', `deployfile: ${said}`)
  })
})

describe('ssh', () => {
  it.each([
    [
      ['ssh'],
      'no host was named\n  Write deployfile ssh HOST, and a command after --: deployfile ssh web1 -- uptime\n',
    ],
    [['ssh', 'nowhere'], "no stage has a host 'nowhere'\n  The hosts are a, b, prod1.\n"],
    [['dev', 'ssh', 'prod1'], "the stage 'dev' has no host 'prod1'\n  The hosts are a, b.\n"],
    [
      ['ssh', 'a', 'b'],
      "'ssh' takes one host, and not 'b' beside it\n  Write deployfile ssh HOST, and a command after --: deployfile ssh web1 -- uptime\n",
    ],
  ])('%j is refused', async (args, said) => {
    await config()
      .args(...args)
      .ends(2, '', `deployfile: ${said}`)
  })

  it('of a host that is a folder here is refused', async () => {
    const { code, stderr } = await config().args('ssh', 'a').run()
    expect(code).toBe(2)
    expect(stderr).toContain("deployfile: 'a' is this machine: there is nothing to log in to\n")
  })
})
