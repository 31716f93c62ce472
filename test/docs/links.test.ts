import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { page } from './pages.ts'

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const DOCS = readdirSync(at('docs')).filter((name) => name.endsWith('.md'))
const PAGES = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...DOCS.map((name) => `docs/${name}`),
]

const prose = (text: string): string => text.replaceAll(/^```.*?^```$/gms, '')

/** As GitHub makes them of headings. */
const anchors = (text: string): readonly string[] =>
  [...prose(text).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )

const linksOf = (name: string): readonly string[] =>
  [...prose(page(name)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, to = '']) => to)

test.each(PAGES)('what %s links to is there', (name) => {
  const dead = linksOf(name).filter((to) => {
    if (/^https?:/.test(to)) return false
    const [path = '', anchor] = to.split('#')
    const file = path === '' ? name : join(dirname(name), path)
    if (!existsSync(at(file))) return true
    return anchor !== undefined && !anchors(page(file)).includes(anchor)
  })
  expect(dead).toEqual([])
})

test.each(['README.md', 'docs/README.md'])('%s leads to every page', (name) => {
  const led = linksOf(name).map((to) => join(dirname(name), to.split('#')[0] ?? ''))
  expect(DOCS.filter((one) => one !== 'README.md' && !led.includes(`docs/${one}`))).toEqual([])
})
