import { isProblem } from '@deployfile/core'
import { describe, expect, test } from 'vitest'
import * as recipes from '../../src/index.ts'

/** Each function that takes options, called with some that are good. */
const TAKERS: Readonly<Record<string, (options: object) => unknown>> = {
  deploy: (more) =>
    recipes.deploy({
      ...{
        application: 'shop',
        repository: 'git@git.example.com:shop.git',
        branch: 'main',
        deployTo: '/srv/shop',
      },
      ...more,
    }),
  postgres: (more) => recipes.postgres({ databases: { dev: 'postgresql:///app_dev' }, from: 'dev', ...more }),
  git: (more) => recipes.git(more),
  directory: (more) => recipes.directory({ path: 'dist', ...more }),
  archive: (more) => recipes.archive({ file: 'app.tar', sha256: '0'.repeat(64), ...more }),
  command: (more) => recipes.command('true', more),
  passenger: (more) => recipes.passenger(more),
  systemd: (more) => recipes.systemd({ unit: 'shop', ...more }),
  puma: (more) => recipes.puma(more),
  unicorn: (more) => recipes.unicorn(more),
  pm2: (more) => recipes.pm2(more),
}

function refusal(take: () => unknown): string {
  try {
    take()
  } catch (thrown) {
    if (!isProblem(thrown) || thrown.kind !== 'usage') throw thrown
    return `${thrown.message} | ${thrown.details.hint ?? ''}`
  }
  return 'taken'
}

const WRONG = [
  5,
  -1,
  1.5,
  '',
  ' ',
  'x y',
  true,
  null,
  [],
  [5],
  ['', {}],
  {},
  { a: 5 },
  { path: 5 },
  () => 5,
  Symbol('x'),
]

describe.each(Object.entries(TAKERS))('%s()', (name, take) => {
  const known = /It has (.*)\.$/.exec(refusal(() => take({ 'no-such-option': 1 })))?.[1]?.split(', ') ?? []

  test('says which options it has', () => {
    expect(known.length).toBeGreaterThan(0)
    expect(refusal(() => take({ 'no-such-option': 1 }))).toContain(`${name}() has no option 'no-such-option'`)
  })

  test.each(known)('speaks of a wrong %s in its own words, not in those of a library', (key) => {
    const said = WRONG.map((value) => refusal(() => take({ [key]: value })))
    const refused = said.filter((one) => one !== 'taken')
    expect(refused.length).toBeGreaterThan(0)
    expect(
      refused.filter((one) => !one.includes(key) || /invalid |received|too (small|big)|undefined/i.test(one)),
    ).toEqual([])
  })
})
