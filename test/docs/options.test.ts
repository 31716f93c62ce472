import { describe, expect, test } from 'vitest'
import { keysOf, membersOf } from './declared.ts'
import { codeIn, page, tableRows } from './pages.ts'

// What can be written into a config stands in a table of its page. An option that is added has to be explained there; a row whose
// option is gone has to go, too.

const core = 'packages/core/src'
const recipes = 'packages/recipes/src'
const postgres = 'packages/postgres/src'

const deploying = `${recipes}/deploy/options.ts`
const database = `${recipes}/database/options.ts`

/** Options that have rows of their own: which page, under which heading, and what declares them. */
const tables: Readonly<Record<string, readonly [page: string, title: string, names: readonly string[]]>> = {
  'deploy()': [
    'deploying',
    'Options',
    [...membersOf(deploying, 'CommonOptions'), ...membersOf(deploying, 'DeployOptions')],
  ],
  'postgres()': ['databases', 'Options', membersOf(database, 'PostgresOptions')],
  'a host': ['hosts', 'Hosts and SSH', membersOf(`${core}/host/host.ts`, 'HostSpec')],
  'a task': [
    'tasks',
    'The fields of a task',
    [
      ...membersOf(`${core}/task/declare.ts`, 'TaskSpec'),
      ...membersOf(`${core}/task/task.ts`, 'TaskOptions'),
      ...membersOf(`${core}/task/pace.ts`, 'Pace'),
    ],
  ],
  'a command': ['tasks', 'Options of commands', membersOf(`${core}/port/shell.ts`, 'CommandOptions')],
  'a config': ['tasks', 'The config', keysOf(`${core}/config/config-schema.ts`, 'schema')],
}

/** What is explained in a sentence or an example. */
const sentences: Readonly<Record<string, readonly [page: string, names: readonly string[]]>> = {
  'a linked file': ['deploying', membersOf(deploying, 'LinkedFile')],
  maintenance: ['deploying', membersOf(deploying, 'Maintenance')],
  verify: ['deploying', membersOf(deploying, 'Verify')],
  'git()': ['deploying', membersOf(`${recipes}/source/git.ts`, 'GitOptions')],
  'directory()': ['deploying', membersOf(`${recipes}/source/directory.ts`, 'DirectoryOptions')],
  'archive()': ['deploying', ['file', 'url', 'sha256', 'strip', 'revision']],
  'passenger()': ['deploying', membersOf(`${recipes}/restart/passenger.ts`, 'PassengerOptions')],
  'systemd()': ['deploying', membersOf(`${recipes}/restart/systemd.ts`, 'SystemdOptions')],
  'puma()': ['deploying', membersOf(`${recipes}/restart/puma.ts`, 'PumaOptions')],
  'unicorn()': ['deploying', membersOf(`${recipes}/restart/signalled.ts`, 'SignalOptions')],
  'pm2()': ['deploying', membersOf(`${recipes}/restart/pm2.ts`, 'Pm2Options')],
  'command()': ['deploying', membersOf(`${recipes}/restart/command.ts`, 'CommandStrategyOptions')],
  'a database': ['databases', membersOf(database, 'DatabaseSpec')],
  restore: ['databases', membersOf(database, 'RestoreSpec')],
  dump: ['databases', membersOf(`${postgres}/client/choices.ts`, 'DumpChoices')],
  keep: ['databases', membersOf(`${postgres}/backup/prune.ts`, 'Keep')],
  'a stage': ['hosts', membersOf(`${core}/config/config.ts`, 'StageSpec')],
  'an uploaded folder': ['hosts', membersOf(`${core}/port/shell.ts`, 'UploadDirOptions')],
  'a shell': ['tasks', membersOf(`${core}/port/shell.ts`, 'Shell')],
  'what a body gets': ['tasks', membersOf(`${core}/task/context.ts`, 'BaseContext')],
}

const words = (code: string): readonly string[] => code.match(/[A-Za-z]\w*/g) ?? []

/** From a heading to the next one. */
function section(name: string, title: string): string {
  const text = page(`docs/${name}.md`)
  const [head] = new RegExp(`^#+ ${title}\n`, 'm').exec(text) ?? []
  if (head === undefined) throw new Error(`docs/${name}.md has no heading '${title}'`)
  const below = text.slice(text.indexOf(head) + head.length)
  const to = below.search(/^#+ /m)
  return to < 0 ? below : below.slice(0, to)
}

describe('each option has its row, and each row its option:', () => {
  test.each(Object.entries(tables))('%s', (_, [name, title, declared]) => {
    const rows = tableRows(section(name, title)).flatMap(([first = '']) => codeIn(first).flatMap(words))
    expect([...new Set(rows)].sort()).toEqual([...new Set(declared)].sort())
  })
})

describe('what is explained in a sentence is named there:', () => {
  test.each(Object.entries(sentences))('%s', (_, [name, declared]) => {
    expect(declared.length).toBeGreaterThan(0)
    const text = page(`docs/${name}.md`)
    const shown = [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = '']) => code)
    const said = new Set([...codeIn(text.replaceAll(/^```.*?^```$/gms, '')), ...shown].flatMap(words))
    expect(declared.filter((option) => !said.has(option))).toEqual([])
  })
})
