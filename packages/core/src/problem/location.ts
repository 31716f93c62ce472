/** A place in a source file. Lines and columns start at 1, as editors count them. */
export interface SourceLocation {
  readonly file: string
  readonly line: number
  readonly column: number
}

const FRAME = /\(?((?:file:\/\/)?\/[^()\n]+?):(\d+):(\d+)\)?$/

// The folder of our packages. Without its scheme, because frames come with and without one.
const HOME = new URL('../../..', import.meta.url).href.slice('file://'.length)
const OURS = ['core', 'shell', 'postgres', 'recipes', 'deployfile'].flatMap((room) => [
  `${HOME}${room}/src/`,
  `${HOME}${room}/dist/`,
])
// Package managers may lay each of them into a folder of its own.
const INSTALLED = /\/node_modules\/(?:@deployfile\/[^/]+|deployfile)\/(?:src|dist)\//

// More frames of ours than a recipe has between a task of it and whoever uses it.
const DEEP = 50

/** A function of ours that was called from outside. */
type Entered = NonNullable<Parameters<typeof Error.captureStackTrace>[1]>

/**
 * Where the caller of our DSL stands: the first stack frame that is not one of our packages or of Node; what a recipe declares stands
 * where the recipe is used. `entered` is the function that was called: told it, this looks at a single frame in most cases, and
 * configs declare thousands of tasks. Taken when a task or a config is declared, because an error about it may come much later
 * (rake's `-W` wants it too).
 */
export function callerLocation(entered?: Entered): SourceLocation | undefined {
  return (entered && locate(1, entered)) ?? locate(DEEP, entered ?? callerLocation)
}

function locate(frames: number, entered: Entered): SourceLocation | undefined {
  const held: { stack?: string } = {}
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = frames
  Error.captureStackTrace(held, entered)
  Error.stackTraceLimit = limit
  for (const line of held.stack?.split('\n').slice(1) ?? []) {
    if (INSTALLED.test(line) || OURS.some((folder) => line.includes(folder))) continue
    const [, where, row, column] = FRAME.exec(line.trim()) ?? []
    if (where === undefined || row === undefined || column === undefined) continue
    return { file: fileOf(where), line: Number(row), column: Number(column) }
  }
  return undefined
}

// One string for all tasks of a file.
const files = new Map<string, string>()

function fileOf(where: string): string {
  let file = files.get(where)
  if (file === undefined) {
    file = decodeURI(where.startsWith('file://') ? where.slice('file://'.length) : where)
    files.set(where, file)
  }
  return file
}
