import * as deployfile from 'deployfile'
import * as recipes from 'deployfile/recipes'
import { expect, test } from 'vitest'
import { isCommand, options, tasks } from './commands.ts'
import { keysOf, membersOf } from './declared.ts'
import { codeIn, page, tableRows } from './pages.ts'

// Whoever comes from Capistrano types what this page says. So each word of ours in its tables must be one that the program knows.

const PAGE = page('docs/coming-from-capistrano.md')

const core = 'packages/core/src'
const deploying = 'packages/recipes/src/deploy/options.ts'
const names = new Set([
  ...Object.keys(deployfile),
  ...Object.keys(recipes),
  ...membersOf(deploying, 'CommonOptions'),
  ...membersOf(deploying, 'DeployOptions'),
  ...membersOf(`${core}/host/host.ts`, 'HostSpec'),
  ...membersOf(`${core}/task/declare.ts`, 'TaskSpec'),
  ...membersOf(`${core}/task/task.ts`, 'TaskOptions'),
  ...membersOf(`${core}/task/pace.ts`, 'Pace'),
  ...membersOf(`${core}/task/context.ts`, 'BaseContext'),
  ...membersOf(`${core}/task/context.ts`, 'CallContext'),
  ...keysOf(`${core}/config/config-schema.ts`, 'schema'),
  ...['on', 'hosts', 'needs', 'input', 'throw', 'namespace'],
])
const shell = new Set(membersOf(`${core}/port/shell.ts`, 'Shell'))
const release = new Set(membersOf('packages/recipes/src/deploy/before-migrate.ts', 'Release'))
const inputs = new Set(['branch', 'revision', 'release', 'x'])

/** Is it something that can be typed, or written into a config? */
function isOurs(code: string): boolean {
  if (code.startsWith('npx deployfile ')) return isCommand(code.slice('npx deployfile '.length))
  if (code.startsWith('-')) return options.has(code)
  if (/^\w+(:\w+)+$/.test(code)) return tasks.has(code)
  const [, door, member = ''] = /^(remote|local|needs\.release)\.(\w+)/.exec(code) ?? []
  if (door !== undefined) return (door === 'needs.release' ? release : shell).has(member)
  const [, input] = /^(\w+)=/.exec(code) ?? []
  if (input !== undefined) return inputs.has(input)
  const [word = ''] = /^\w+/.exec(code) ?? []
  return names.has(word) || tasks.has(code) || ['current', 'bundle exec'].includes(code)
}

test('what it says to type and to write exists', () => {
  const rows = tableRows(PAGE)
  expect(rows.length).toBeGreaterThan(120)
  const unknown = rows.flatMap(([theirs = '', ours = '']) =>
    codeIn(ours)
      .filter((code) => !isOurs(code))
      .map((code) => `${theirs} → ${code}`),
  )
  expect(unknown).toEqual([])
})

test('each row says what to type, or why there is nothing', () => {
  for (const row of tableRows(PAGE)) {
    expect(row, row.join(' | ')).toHaveLength(2)
    expect(row[1], row[0]).toMatch(
      /`|no counterpart|a task of your own|ConnectTimeout|the same, by|prints|package/,
    )
  }
})

test('every task of a deploy and a rollback that can be hooked onto under Capistrano’s name is there', () => {
  const hooks = [
    'starting',
    'started',
    'updating',
    'updated',
    'publishing',
    'published',
    'finishing',
    'finished',
  ]
  for (const word of [...hooks, 'restart', 'reverting', 'reverted', 'failed', 'migrate']) {
    expect(tasks).toContain(`deploy:${word}`)
    expect(codeIn(PAGE)).toContain(`deploy:${word}`)
  }
})
