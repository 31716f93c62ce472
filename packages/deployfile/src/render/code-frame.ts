import type { SourceLocation } from '@deployfile/core'
import { printable, type Style } from './style.ts'

const AROUND = 2
const WIDEST = 160

/**
 * Two lines around a place, with a caret below it:
 *
 *       11 |   stages: {
 *     > 12 |     production: { protected: true, host: {} },
 *          |                                    ^
 */
export function codeFrame(source: string, place: SourceLocation, style: Style): string[] {
  const lines = source.split(/\r?\n/)
  if (place.line < 1 || place.line > lines.length) return []
  const first = Math.max(1, place.line - AROUND)
  const last = Math.min(lines.length, place.line + AROUND)
  const gutter = String(last).length
  const frame: string[] = []
  for (let number = first; number <= last; number++) {
    const line = lines[number - 1] ?? ''
    if (number === lines.length && line === '' && number !== place.line) continue
    const here = number === place.line
    const label = `${here ? '>' : ' '} ${String(number).padStart(gutter)} |`
    const text = printable(line).slice(0, WIDEST)
    frame.push(`  ${here ? style.red(label) : style.dim(label)}${text === '' ? '' : ` ${text}`}`)
    if (!here) continue
    // Tabs are printed as two blanks, so the caret counts them the same way.
    const before = printable(line.slice(0, place.column - 1)).length
    if (before < WIDEST)
      frame.push(`  ${style.dim(`  ${' '.repeat(gutter)} |`)} ${' '.repeat(before)}${style.red('^')}`)
  }
  return frame
}

/**
 * Where the key of a problem stands: a declaration's location is its first line, the mistake may be lines below.
 * Looks from the place on, so that the same word further up is not taken for it.
 */
export function placeOfKey(source: string, place: SourceLocation, key: string): SourceLocation {
  const word = key.split('.').at(-1) ?? key
  const pattern = new RegExp(`(?<![\\w$])(['"]?)${word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}\\1\\s*[:,(}]`)
  const lines = source.split(/\r?\n/)
  for (let index = place.line - 1; index < lines.length; index++) {
    const line = lines[index] ?? ''
    const found = pattern.exec(index === place.line - 1 ? line.padEnd(place.column) : line)
    if (found) return { file: place.file, line: index + 1, column: found.index + 1 }
  }
  return place
}
