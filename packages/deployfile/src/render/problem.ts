import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { ProblemRecord, SourceLocation } from '@deployfile/core'
import { codeFrame, placeOfKey } from './code-frame.ts'
import type { Style } from './style.ts'

export interface ProblemView {
  readonly style: Style
  readonly cwd: string
  readonly verbose: boolean
  /** False where a config was rewritten on its way in: then only lines of places are right. Default true. */
  readonly exactColumns?: boolean
}

/** One problem that ended a command before a run: what, where, the lines there, and what to do. */
export function problemBlock(problem: ProblemRecord, view: ProblemView): string[] {
  const { style } = view
  const lines = [`${style.red('deployfile:')} ${problem.message}`]
  lines.push(...problemPlace(problem, view))
  if (problem.hint) lines.push(...problem.hint.split('\n').map((line) => `  ${line}`))
  if (view.verbose && problem.stack)
    lines.push(...problem.stack.split('\n').map((line) => style.dim(`  ${line}`)))
  return lines
}

/** The place of a problem and the lines around it; nothing when it has none. */
export function problemPlace(problem: ProblemRecord, view: ProblemView): string[] {
  if (!problem.location) return []
  const source = read(problem.location.file)
  const place = refine(problem.location, problem.key, source, view.exactColumns !== false)
  const where = view.style.cyan(
    `${shorten(place.file, view.cwd)}:${String(place.line)}:${String(place.column)}`,
  )
  return [`  ${where}`, ...(source === undefined ? [] : codeFrame(source, place, view.style))]
}

/** Relative where that is shorter and below the folder. */
export function shorten(file: string, cwd: string): string {
  const relative = path.relative(cwd, file)
  return relative.startsWith('..') || relative === '' ? file : relative
}

function refine(
  place: SourceLocation,
  key: string | undefined,
  source: string | undefined,
  exact: boolean,
): SourceLocation {
  if (source === undefined) return place
  const line = source.split(/\r?\n/)[place.line - 1] ?? ''
  const start = exact ? place : { ...place, column: Math.max(0, line.search(/\S/)) + 1 }
  return key === undefined ? start : placeOfKey(source, start, key)
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
