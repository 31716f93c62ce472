import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { isCommand, options } from './commands.ts'
import { codeIn, page } from './pages.ts'

const names = readdirSync(fileURLToPath(new URL('../../docs', import.meta.url)))
const PAGES = ['README.md', ...names.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)]

/** What a page's own examples declare. */
const OWN = ['assets:upload', 'api:deploy']

/** Each thing to type: a line of a block, or what stands in backquotes. */
function typed(text: string): readonly string[] {
  const blocks = [...text.matchAll(/^(?: +|\$ |.*- )(?:npx )?deployfile +(.+)$/gm)].map(([, words = '']) =>
    // Beside a command stands what it does.
    words.replace(/ {2,}.*$/, ''),
  )
  const inline = codeIn(text).flatMap((code) => /^(?:npx )?deployfile (.+)$/.exec(code)?.[1] ?? [])
  return [...blocks, ...inline].filter((words) => !/\b(?:is|that|has)\b/.test(words))
}

test.each(PAGES)('each command of %s exists', (name) => {
  expect(typed(page(name)).filter((words) => !isCommand(words, OWN))).toEqual([])
})

test('each option of --help is explained on the page of the command line', () => {
  const told = codeIn(page('docs/command-line.md')).join(' ')
  expect(
    [...options].filter((option) => option.startsWith('--') && !new RegExp(`${option}\\b`).test(told)),
  ).toEqual([])
})

test('which finds those that there are, and those that there are not', () => {
  const text =
    'Say `deployfile production deploy --now`.\n\n    npx deployfile deploy:chek   look\n    deployfile -T\n'
  expect(typed(text)).toEqual(['deploy:chek', '-T', 'production deploy --now'])
  expect(typed(text).filter((words) => !isCommand(words))).toEqual(['deploy:chek', 'production deploy --now'])
})
