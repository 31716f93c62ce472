/** A place in a source file. Lines and columns start at 1, as editors count them. */
export interface SourceLocation {
  readonly file: string
  readonly line: number
  readonly column: number
}

const FRAME = /\(?((?:file:\/\/)?\/[^()\n]+?):(\d+):(\d+)\)?$/

// In a bundle or a source checkout alike, frames of this package lie below the folder that holds this file's parent.
// Without its scheme, because frames come with and without one.
const OWN = new URL('..', import.meta.url).href.slice('file://'.length)

/**
 * Where the caller of our DSL stands: the first stack frame that is not one of this package or of Node.
 * Taken when a task or a config is declared, because an error about it may come much later (rake's `-W` wants it too).
 */
export function callerLocation(): SourceLocation | undefined {
  const stack = new Error('location').stack?.split('\n').slice(1) ?? []
  for (const line of stack) {
    // Before anything is parsed: a task's declaration takes this path thousands of times.
    if (line.includes(OWN)) continue
    const match = FRAME.exec(line.trim())
    const [, where, row, column] = match ?? []
    if (where === undefined || row === undefined || column === undefined) continue
    const href = where.startsWith('file://') ? where : `file://${where}`
    if (href.includes('/deployfile/dist/')) continue
    return { file: decodeURI(href.slice('file://'.length)), line: Number(row), column: Number(column) }
  }
  return undefined
}
