import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** A file of this repository, by its path from the root. */
export const page = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../${name}`, import.meta.url)), 'utf8')

/** The rows of a page's tables, a cell an element; without the heads. A `\|` is part of its cell. */
export function tableRows(text: string): readonly (readonly string[])[] {
  const lines = text.split('\n')
  return lines.flatMap((line, index) => {
    const head = lines[index + 1]?.startsWith('| ---') === true || line.startsWith('| ---')
    if (!line.startsWith('|') || head) return []
    return [
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim().replaceAll('\\|', '|')),
    ]
  })
}

/** What stands in backquotes; two of them hold what has one. */
export const codeIn = (text: string): readonly string[] =>
  [...text.matchAll(/(`+)(.+?)\1(?!`)/g)].map(([, , code = '']) => code.trim())
