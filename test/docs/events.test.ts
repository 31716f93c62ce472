import { expect, test } from 'vitest'
import { membersOf, variantsOf } from './declared.ts'
import { codeIn, page, tableRows } from './pages.ts'

const PAGE = page('docs/events.md')
const EVENTS = variantsOf('packages/core/src/event/event.ts', 'RunEventBody')
const COMMANDS = variantsOf('packages/core/src/port/shell.ts', 'CommandEvent')
// Said once for all of them, above the tables.
const COMMON = ['type', 'node', 'phase', 'host']

/** By the types in its first cell, what stands in backquotes in the others. */
function rows(): ReadonlyMap<string, readonly string[]> {
  return new Map(
    tableRows(PAGE).flatMap(([types = '', ...rest]) =>
      codeIn(types).map((type) => [type, codeIn(rest.join(' '))] as const),
    ),
  )
}

test('each event has its row, and each row its event', () => {
  expect([...rows().keys()].sort()).toEqual([...EVENTS.keys(), ...COMMANDS.keys()].sort())
  expect(EVENTS.size).toBeGreaterThan(10)
})

test.each([...EVENTS, ...COMMANDS])('%s: the row names what it has', (type, members) => {
  const named = new Set([...COMMON, ...(rows().get(type) ?? [])])
  expect(members.filter((member) => !named.has(member))).toEqual([])
})

test('so is how far a task is, which is declared apart', () => {
  const named = new Set(rows().get('node.progress'))
  const facts = membersOf('packages/core/src/event/progress.ts', 'ProgressFacts')
  expect(facts.length).toBeGreaterThan(0)
  expect(facts.filter((member) => !named.has(member))).toEqual([])
})
