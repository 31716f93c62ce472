import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { page } from './pages.ts'

const PAGE = page('docs/security.md')

// `<!-- file: name of a test -->` behind a claim: whoever takes the test away, or renames it, looks at the claim again.
const proofs = [...PAGE.matchAll(/<!-- (\S+\.ts): (.+?) -->/g)].map(([, file = '', name = '']) => ({
  file,
  name,
}))

test('each claim has its test, under that name', () => {
  expect(proofs.length).toBeGreaterThan(30)
  expect(PAGE.match(/<!--/g)).toHaveLength(proofs.length)
  const gone = proofs.filter(({ file, name }) => {
    const there = existsSync(fileURLToPath(new URL(`../../${file}`, import.meta.url)))
    return !there || !page(file).includes(name)
  })
  expect(gone).toEqual([])
})

test.each(['Host keys', 'Secrets', 'Who is asked', 'One at a time', 'Databases'])(
  'under "%s", so does every item but those that only warn',
  (title) => {
    const from = PAGE.indexOf(`## ${title}\n`)
    const section = PAGE.slice(from, PAGE.indexOf('\n## ', from + 1))
    const bare = section
      .split(/^- /m)
      .slice(1)
      .filter((item) => !item.includes('<!-- '))
    expect(bare.map((item) => item.split(' ').slice(0, 4).join(' '))).toEqual(
      { 'Host keys': ['The git server is'], Databases: ['Copies of production have'] }[title] ?? [],
    )
  },
)
