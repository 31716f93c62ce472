import { chmodSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { cli } from '../cli-harness.ts'

const IMPORTS = `import { defineConfig, task } from 'deployfile'`

describe('a config that cannot be had', () => {
  it('is not there: says where it looked and what to type', async () => {
    await cli()
      .args('-T')
      .ends(
        2,
        '',
        `deployfile: no deploy.config.ts found in <root>
  Go to the project's folder, name the file with --config path/to/deploy.config.ts (also .mts, .js, .mjs), or write one: deployfile init
`,
      )
  })

  it('is not there in a folder below, either', async () => {
    const { stderr, code } = await cli().file('app/models/x', '').args('--cwd', 'app/models', '-T').run()
    expect(stderr.split('\n', 1)[0]).toBe(
      'deployfile: no deploy.config.ts found in <root>/app/models and the folders above it up to <root>',
    )
    expect(code).toBe(2)
  })

  it('is named and not there', async () => {
    await cli()
      .args('-T', '--config', 'other.ts')
      .ends(
        2,
        '',
        `deployfile: --config names <root>/other.ts, which does not exist
  Check the path: it starts from --cwd, or from where you are.
`,
      )
  })

  it('is a folder', async () => {
    await cli()
      .file('ops/x', '')
      .args('-T', '--config', 'ops')
      .ends(
        2,
        '',
        `deployfile: --config names <root>/ops, which is a folder
  Name the file in it: --config ops/deploy.config.ts, or go there with --cwd ops
`,
      )
  })

  it('--cwd names no folder', async () => {
    await cli()
      .args('-T', '--cwd', 'ops')
      .ends(2, '', 'deployfile: --cwd names <root>/ops, which is not a folder\n  Check the path.\n')
  })
})

describe('a file that may not be read', { timeout: 30_000 }, () => {
  // Root reads everything, but for this.
  const before = `[ "$(id -u)" != 0 ] || set -- setpriv --bounding-set=-dac_override,-dac_read_search "$@"`

  it('is the config: says so, and not that it threw', async () => {
    const one = cli().file('deploy.config.ts', 'export default 1').args('-T')
    chmodSync(path.join(one.root, 'deploy.config.ts'), 0o000)
    const { code, stdout, stderr } = await one.spawn({ before }).ended()
    expect({ code, stdout, stderr }).toEqual({
      code: 2,
      stdout: '',
      stderr: `deployfile: <root>/deploy.config.ts cannot be read: its permissions do not let you
  Let yourself read it: chmod u+r <root>/deploy.config.ts. Is it somebody else's? ls -l <root>/deploy.config.ts
`,
    })
  })

  it('is imported by the config', async () => {
    const one = cli()
      .file('hosts.mjs', 'export const hosts = {}')
      .file('deploy.config.mjs', `import { hosts } from './hosts.mjs'\nexport default hosts`)
      .args('-T')
    chmodSync(path.join(one.root, 'hosts.mjs'), 0o000)
    const { code, stderr } = await one.spawn({ before }).ended()
    expect(stderr).toContain('deployfile: <root>/hosts.mjs cannot be read: its permissions do not let you\n')
    expect(code).toBe(2)
  })
})

describe('a config that breaks while it is loaded', () => {
  it('throws: the place in it, and what', async () => {
    const text = `${IMPORTS}
function hosts(): string[] {
  if (true) throw new Error('no inventory')
}
export default hosts()
`
    await cli()
      .file('deploy.config.ts', text)
      .args('-T')
      .ends(
        2,
        '',
        `deployfile: deploy.config.ts threw Error: no inventory
  deploy.config.ts:3:13
    1 | import { defineConfig, task } from 'deployfile'
    2 | function hosts(): string[] {
  > 3 |   if (true) throw new Error('no inventory')
      |             ^
    4 | }
    5 | export default hosts()
  It was loaded, nothing was connected. Run again with --verbose to see the stack.
`,
      )
  })

  it('throws undefined', async () => {
    const { stderr, code } = await cli().file('deploy.config.ts', 'throw undefined').args('-T').run()
    expect(stderr.split('\n', 1)[0]).toBe(
      'deployfile: deploy.config.ts threw a value that is not an Error: undefined',
    )
    expect(code).toBe(2)
  })

  it('shows a stack only with --verbose', async () => {
    const broken = cli().file('deploy.config.ts', `throw new Error('x')`)
    expect((await broken.args('-T', '--verbose').run()).stderr).toMatch(/^ +at .*deploy\.config\.ts:1/m)
    const quiet = cli().file('deploy.config.ts', `throw new Error('x')`)
    expect((await quiet.args('-T').run()).stderr).not.toMatch(/^ +at /m)
  })

  it('has a syntax error', async () => {
    await cli()
      .file('deploy.config.ts', 'export default {\n  a: 1,,\n}\n')
      .args('-T')
      .ends(
        2,
        '',
        `deployfile: deploy.config.ts cannot be read: Unexpected token
  deploy.config.ts:2:8
    1 | export default {
  > 2 |   a: 1,,
      |        ^
    3 | }
`,
      )
  })

  it('has a syntax error and is JavaScript, where Node keeps the place to itself', async () => {
    await cli()
      .file('deploy.config.mjs', 'export default {\n  a: 1,,\n}\n')
      .args('-T')
      .ends(
        2,
        '',
        `deployfile: deploy.config.mjs cannot be read: Unexpected token ','
  deploy.config.mjs:2:8
    1 | export default {
  > 2 |   a: 1,,
      |        ^
    3 | }
`,
      )
  })

  it('imports a file that is not there', async () => {
    await cli()
      .file('deploy.config.ts', `${IMPORTS}\nimport { hosts } from './hosts.ts'\nexport default hosts\n`)
      .args('-T')
      .ends(
        2,
        '',
        `deployfile: deploy.config.ts imports ./hosts.ts, which was not found
  deploy.config.ts:2:23
    1 | import { defineConfig, task } from 'deployfile'
  > 2 | import { hosts } from './hosts.ts'
      |                       ^
    3 | export default hosts
  Check the path and the ending of the file.
`,
      )
  })

  it('imports a package that is not installed', async () => {
    const { stderr } = await cli()
      .file('deploy.config.ts', `import x from '@acme/inventory/prod'\nexport default x`)
      .args('-T')
      .run()
    expect(stderr).toContain(
      'deploy.config.ts imports @acme/inventory/prod, which was not found\n  deploy.config.ts:1:15\n',
    )
    expect(stderr).toContain('Install it: npm install --save-dev @acme/inventory\n')
  })

  it.each([
    ['', 'has no default export', 'End it with: export default defineConfig({ stages: { … } })'],
    [
      'export default Promise.reject(new Error("x"))',
      'exports a promise by default',
      'Wait for it in the file itself: export default await …',
    ],
    [
      'export default { stages: {} }',
      'exports a value of type object by default, not what defineConfig returns',
      'End it with: export default defineConfig({ stages: { … } })',
    ],
  ])('exports the wrong thing: %s', async (text, what, hint) => {
    await cli()
      .file('deploy.config.ts', text)
      .args('-T')
      .ends(2, '', `deployfile: <root>/deploy.config.ts ${what}\n  ${hint}\n`)
  })
})

describe('a config with a mistake in it', () => {
  it('has an unknown key: the frame points at it', async () => {
    const text = `${IMPORTS}
export default defineConfig({
  stages: {
    dev: { hosts: {} },
    production: { protect: true, hosts: {} },
  },
})
`
    await cli()
      .file('deploy.config.ts', text)
      .args('-T')
      .ends(
        2,
        '',
        `deployfile: the stage 'production' has the unknown key 'protect'
  deploy.config.ts:5:19
    3 |   stages: {
    4 |     dev: { hosts: {} },
  > 5 |     production: { protect: true, hosts: {} },
      |                   ^
    6 |   },
    7 | })
  Did you mean 'protected'?
`,
      )
  })

  it('has an unknown key in a task, which throws while the file is loaded', async () => {
    const text = `${IMPORTS}
const build = task('build', {
  desc: 'x',
  rnu: () => 1,
  run() {},
})
`
    const { stderr, code } = await cli().file('deploy.config.ts', text).args('-T').run()
    expect(stderr).toContain(
      `deployfile: the task 'build' has the unknown key 'rnu'\n  deploy.config.ts:4:3\n`,
    )
    expect(stderr).toContain(`  > 4 |   rnu: () => 1,\n      |   ^\n`)
    expect(code).toBe(2)
  })
})

describe('how a config is loaded', () => {
  it('reads enums, parameter properties, imports without ending, and paths of a tsconfig', async () => {
    const text = `${IMPORTS}
import { NAME } from './names'
import { DESC } from '#ops/desc'
enum Role { Web = 'web' }
class Named { constructor(readonly name: string) {} }
const one = task('one', { desc: new Named(NAME + DESC + Role.Web).name, run: () => 1 })
export default defineConfig({ stages: { dev: { hosts: {} } }, tasks: [one] })
`
    await cli()
      .file('deploy.config.ts', text)
      .file('names.ts', `export const NAME: string = 'a'`)
      .file('ops/desc.ts', `export const DESC: string = 'b'`)
      .file('tsconfig.json', JSON.stringify({ compilerOptions: { paths: { '#ops/*': ['./ops/*'] } } }))
      .args('-T')
      .ends(0, 'deployfile one  # abweb\n')
  })

  it('runs it once, also where its own dynamic import fails', async () => {
    const seen = cli()
    const text = `import { appendFileSync } from 'node:fs'
appendFileSync(${JSON.stringify(`${seen.root}/ran`)}, 'x')
await import('./nope.ts')
export default 1
`
    await seen.file('deploy.config.ts', text).args('-T').run()
    const { readFileSync } = await import('node:fs')
    expect(readFileSync(`${seen.root}/ran`, 'utf8')).toBe('x')
  })

  it('takes .mjs, .js and .mts', async () => {
    const text = `${IMPORTS}\nexport default defineConfig({ stages: { dev: { hosts: {} } }, tasks: [task('one', { desc: 'One', run: () => 1 })] })`
    await cli().file('deploy.config.mts', text).args('-T').ends(0, 'deployfile one  # One\n')
  })
})
