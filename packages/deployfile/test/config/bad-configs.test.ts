import { describe, expect, it } from 'vitest'
import { cli } from '../cli-harness.ts'

const IMPORTS = `import { defineConfig, task } from 'deployfile'`
const CONFIG = `defineConfig({ stages: { dev: { hosts: {} } }, tasks: [task('one', { desc: 'One', run: () => 1 })] })`
const LISTED = 'deployfile one  # One\n'

describe('a config with decorators', () => {
  const text = (body: string): string => `${IMPORTS}
const named = (value: unknown, _context?: unknown) => void value
${body}
export default ${CONFIG}
`

  it('of classes and methods is read', async () => {
    await cli()
      .file(
        'deploy.config.ts',
        text('@named class Inventory { @named list() { return 1 } }\nnew Inventory().list()'),
      )
      .args('-T')
      .ends(0, LISTED)
  })

  it('of a property is refused by name and place, not by a note to authors of compilers', async () => {
    await cli()
      .file(
        'deploy.config.ts',
        text('class Inventory { x = 1\n  @named private readonly hosts: string[] = []\n}\nnew Inventory()'),
      )
      .args('-T')
      .ends(
        2,
        '',
        `deployfile: deploy.config.ts decorates a property of a class
  deploy.config.ts:4:3
    2 | const named = (value: unknown, _context?: unknown) => void value
    3 | class Inventory { x = 1
  > 4 |   @named private readonly hosts: string[] = []
      |   ^
    5 | }
    6 | new Inventory()
  Node has no decorators: write the config, and what it imports, without them.
`,
      )
  })

  it('of a property in a file that it imports is found there', async () => {
    const { stderr, code } = await cli()
      .file(
        'hosts.ts',
        `const named: any = () => () => undefined\nexport class Hosts {\n  @named() web = 1\n}\nexport const hosts = new Hosts()\n`,
      )
      .file(
        'deploy.config.ts',
        `${IMPORTS}\nimport { hosts } from './hosts.ts'\nvoid hosts\nexport default ${CONFIG}`,
      )
      .args('-T')
      .run()
    expect(stderr).toContain('deployfile: hosts.ts decorates a property of a class\n  hosts.ts:3:3\n')
    expect(code).toBe(2)
  })

  it('is refused in JavaScript, where Node would only speak of a token', async () => {
    const { stderr, code } = await cli()
      .file(
        'deploy.config.mjs',
        `${IMPORTS}\nconst named = () => undefined\n@named\nclass A {}\nexport default ${CONFIG}`,
      )
      .args('-T')
      .run()
    expect(stderr).toContain(
      'deploy.config.mjs cannot be read: Invalid or unexpected token\n  deploy.config.mjs:3:1\n',
    )
    expect(stderr).toContain('Node has no decorators')
    expect(code).toBe(2)
  })
})

describe('a config in a CommonJS package', () => {
  const inCommonJs = (): ReturnType<typeof cli> =>
    cli().file('package.json', '{ "type": "commonjs" }').args('-T')

  it.each([
    ['deploy.config.ts', `${IMPORTS}\nexport default ${CONFIG}`],
    ['deploy.config.ts', `${IMPORTS}\nif (!__dirname) throw new Error()\nexport default ${CONFIG}`],
    ['deploy.config.js', `${IMPORTS}\nawait null\nexport default ${CONFIG}`],
    ['deploy.config.js', `const { defineConfig, task } = require('deployfile')\nmodule.exports = ${CONFIG}`],
    ['deploy.config.mjs', `${IMPORTS}\nexport default ${CONFIG}`],
  ])('%s is read: %#', async (name, text) => {
    await inCommonJs().file(name, text).ends(0, LISTED)
  })

  it('may import CommonJS', async () => {
    await inCommonJs()
      .file('hosts.js', `exports.hosts = 1`)
      .file(
        'deploy.config.ts',
        `${IMPORTS}\nimport { hosts } from './hosts.js'\nif (hosts !== 1) throw new Error()\nexport default ${CONFIG}`,
      )
      .ends(0, LISTED)
  })

  it('is not one where package.json is broken: that is for npm to say', async () => {
    await cli()
      .file('package.json', '{')
      .file('deploy.config.ts', `${IMPORTS}\nexport default ${CONFIG}`)
      .args('-T')
      .ends(0, LISTED)
  })
})

describe('a config in an ES module package', () => {
  it('that requires is told the line', async () => {
    const { stderr, code } = await cli()
      .file('package.json', '{ "type": "module" }')
      .file('deploy.config.js', `const { task } = require('deployfile')\nmodule.exports = task`)
      .args('-T')
      .run()
    expect(stderr).toContain('require is not defined in ES module scope')
    expect(stderr).toContain('  deploy.config.js:1:18\n')
    expect(code).toBe(2)
  })
})

describe('a config that exports', () => {
  it.each([
    [`export const config = ${CONFIG}`, 'has no default export'],
    [
      `export default () => ${CONFIG}`,
      'exports a value of type function by default, not what defineConfig returns',
    ],
    [`export default Promise.resolve(${CONFIG})`, 'exports a promise by default'],
    [`export default null`, 'exports null by default, not what defineConfig returns'],
    [`export default [${CONFIG}]`, 'exports an array by default, not what defineConfig returns'],
  ])('%s is told what it exports', async (text, what) => {
    const { stderr, code } = await cli().file('deploy.config.ts', `${IMPORTS}\n${text}`).args('-T').run()
    expect(stderr.split('\n', 1)[0]).toBe(`deployfile: <root>/deploy.config.ts ${what}`)
    expect(code).toBe(2)
  })
})

describe('a config that throws', () => {
  it.each([
    [`throw Object.freeze({ code: 7 })`, '{"code":7}'],
    [`throw Object.create(null)`, '{}'],
    [`const a: any = {}; a.a = a; throw a`, '[object Object]'],
    [`throw 'no inventory'`, 'no inventory'],
  ])('%s is told what', async (text, what) => {
    const { stderr, code } = await cli().file('deploy.config.ts', text).args('-T').run()
    expect(stderr.split('\n', 1)[0]).toBe(
      `deployfile: deploy.config.ts threw a value that is not an Error: ${what}`,
    )
    expect(code).toBe(2)
  })
})

describe('what a config imports', () => {
  it('is missing two files away: the file that imports it is named', async () => {
    const { stderr } = await cli()
      .file('hosts.ts', `import x from './deep.ts'\nexport const hosts = x`)
      .file(
        'deploy.config.ts',
        `${IMPORTS}\nimport { hosts } from './hosts.ts'\nvoid hosts\nexport default ${CONFIG}`,
      )
      .args('-T')
      .run()
    expect(stderr).toContain('deployfile: hosts.ts imports ./deep.ts, which was not found\n  hosts.ts:1:15\n')
  })

  it('may be TypeScript, also from JavaScript', async () => {
    await cli()
      .file('hosts.ts', `export const hosts: number = 1`)
      .file(
        'deploy.config.mjs',
        `${IMPORTS}\nimport { hosts } from './hosts.ts'\nif (hosts !== 1) throw new Error()\nexport default ${CONFIG}`,
      )
      .args('-T')
      .ends(0, LISTED)
  })

  it('may import the config itself', async () => {
    await cli()
      .file('a.ts', `import config from './deploy.config.ts'\nexport const later = () => config`)
      .file(
        'deploy.config.ts',
        `${IMPORTS}\nimport { later } from './a.ts'\nvoid later\nexport default ${CONFIG}`,
      )
      .args('-T')
      .ends(0, LISTED)
  })
})
