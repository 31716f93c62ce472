import { describe, expect, it } from 'vitest'
import { cli } from '../cli-harness.ts'

interface Findings {
  readonly ok: boolean
  readonly findings: readonly { where: string; what: string; state: string; said: string; hint?: string }[]
}

const STAGES = `export default defineConfig({
  stages: { dev: { hosts: { here: { transport: 'local', root: '.', roles: ['app'] } } } },
  tasks: [],
})`

describe('doctor', () => {
  it('looks at this machine, the config and each host', async () => {
    const { stdout, code } = await cli().config(STAGES).args('doctor', '--json').run()
    const { ok, findings } = JSON.parse(stdout) as Findings
    expect({ code, ok }).toEqual({ code: 0, ok: true })
    const of = (where: string): readonly string[] =>
      findings.filter((one) => one.where === where).map(({ what }) => what)
    expect(of('this machine')).toEqual(['deployfile', 'Node', 'git', 'ssh', 'pg_dump', 'psql'])
    expect(of('the config')).toEqual(['loads'])
    expect(of('here')).toEqual(['reachable', 'clock', 'disk', 'write access', 'git', 'tar'])
    expect(findings.find(({ what }) => what === 'clock')).toMatchObject({ state: 'well', said: 'right' })
  })

  it('is for people without --json', async () => {
    const { stdout } = await cli().config(STAGES).args('dev', 'doctor').run()
    expect(stdout).toMatch(/^this machine\n {2}✔ deployfile {4}\d/)
    expect(stdout).toContain('\nhere\n  ✔ reachable')
    expect(stdout.endsWith('✔ nothing is wrong\n')).toBe(true)
  })

  it('says what is wrong with a config, and looks at the rest all the same', async () => {
    const { stdout, code } = await cli()
      .file('deploy.config.ts', 'export default {')
      .args('doctor', '--json')
      .run()
    const { ok, findings } = JSON.parse(stdout) as Findings
    expect({ code, ok }).toEqual({ code: 3, ok: false })
    expect(findings.find(({ where }) => where === 'the config')).toMatchObject({
      state: 'wrong',
      said: expect.stringContaining('deploy.config.ts cannot be read') as unknown,
    })
  })

  it('without a config says how to get one', async () => {
    const { stdout, code } = await cli().args('doctor').run()
    expect(code).toBe(0)
    expect(stdout).toContain('Write one: deployfile init')
  })

  it('fits on a screen of 80 columns, and no escape code of a host gets there', async () => {
    const long = 'a sentence that is said by a host and is longer than what is left of a line beside its name'
    const config = `
const look = task('look', { on: 'app', run() {}, doctor: () => [
  { what: 'certificate', state: 'doubtful', said: '${long}\\u001b[31m', hint: 'Renew it: ${long}' },
] })
export default defineConfig({ stages: { dev: { hosts: { here: { transport: 'local', root: '.', roles: ['app'] } } } }, tasks: [look] })`
    const { stdout } = await cli().config(config).terminal().env({ NO_COLOR: '1' }).args('doctor').run()
    expect(stdout).toContain(`
  ! certificate   a sentence that is said by a host and is longer than what is
                  left of a line beside its name
    Renew it: a sentence that is said by a host and is longer than what is left
    of a line beside its name
`)
    expect(stdout).not.toContain('\u001b')
  })

  it('of a host that is not there is refused', async () => {
    await cli()
      .config(STAGES)
      .args('doctor', '-z', 'web1')
      .ends(2, '', 'deployfile: no host is left to look at\n  The hosts are here.\n')
  })

  it('asks the tasks of the config, on their hosts and in the stages that are looked at', async () => {
    const config = `
const hosts = (name) => ({ [name]: { transport: 'local', root: '.', roles: ['db'] }, other: { transport: 'local', root: '..', roles: ['app'] } })
const on = (what, spec, doctor) => task(what, { ...spec, run() {}, doctor })
export default defineConfig({
  stages: { dev: { hosts: hosts('here') }, staging: { hosts: hosts('here') } },
  tasks: [
    on('db:look', { on: 'db' }, ({ task, stage, remote }) => [{ what: 'database', state: 'doubtful', said: task + ' ' + stage.name + ' ' + remote.host.name, hint: 'Look.' }]),
    on('fails', { on: { role: 'db', stage: 'staging' } }, () => { throw new Error('no answer') }),
    on('local', {}, async ({ local }) => [{ what: 'shell', state: 'well', said: await local.capture\`echo here\` }]),
  ],
})`
    const { stdout, code } = await cli().config(config).args('doctor', '--json').run()
    const { findings } = JSON.parse(stdout) as Findings
    const own = findings.filter(({ what }) => ['database', 'fails', 'shell'].includes(what))
    expect(code).toBe(3)
    expect(own).toEqual([
      { what: 'shell', state: 'well', said: 'here', where: 'this machine' },
      { what: 'shell', state: 'well', said: 'here', where: 'this machine' },
      { what: 'database', state: 'doubtful', said: 'db:look dev here', hint: 'Look.', where: 'here' },
      { what: 'database', state: 'doubtful', said: 'db:look staging here', hint: 'Look.', where: 'here' },
      { what: 'fails', state: 'wrong', said: 'no answer', where: 'here' },
    ])
    const dev = await cli().config(config).args('dev', 'doctor', '-r', 'db').run()
    expect(dev.code).toBe(0)
    expect(dev.stdout).toContain('  ! database      db:look dev here\n    Look.\n')
  })
})
