import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { isProblem, Problem, type SourceLocation } from '@deployfile/core'
import { codeOf, toPath, type ImportFailure } from './imported.ts'

const PLACE = /(?:\(|^|\s)((?:file:\/\/)?\/[^()\n]+?):(\d+):(\d+)\)?$/

/** Turns whatever an import threw into one message with a place in the user's files. */
export function explainImport(file: string, { thrown, exactColumns }: ImportFailure): Problem {
  if (isProblem(thrown)) return withPlace(thrown, firstUserFrame(thrown, file, exactColumns))
  const code = codeOf(thrown)
  const error = thrown instanceof Error ? thrown : undefined
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') return missingImport(file, error)
  const unread = unreadable(thrown, file)
  if (unread) return unread
  const syntax =
    error && (syntaxPlace(error) ?? (error instanceof SyntaxError ? checkedPlace(file) : undefined))
  if (syntax) {
    return new Problem(
      'usage',
      'CONFIG_SYNTAX',
      `${path.basename(syntax.location.file)} cannot be read: ${syntax.reason}`,
      {
        location: syntax.location,
        ...(isDecorator(syntax.location) && { hint: WITHOUT_DECORATORS }),
        cause: thrown,
      },
    )
  }
  const location = error && firstUserFrame(error, file, exactColumns)
  if (error?.message.startsWith('Decorating class property failed') === true) {
    return decoratedProperty(location?.file ?? file, error)
  }
  const said = error ? `${error.name}: ${error.message}` : `a value that is not an Error: ${shown(thrown)}`
  return new Problem('usage', 'CONFIG_THREW', `${path.basename(file)} threw ${said}`, {
    location,
    hint: 'It was loaded, nothing was connected. Run again with --verbose to see the stack.',
    cause: thrown,
  })
}

/** A file that is there and cannot be opened: no line of it has run. */
function unreadable(thrown: unknown, file: string): Problem | undefined {
  const { code, syscall, path: at = file } = (thrown ?? {}) as Partial<NodeJS.ErrnoException>
  if (syscall !== 'open' || (code !== 'EACCES' && code !== 'EPERM')) return undefined
  // A config that opens a file of its own and may not is no config that cannot be read.
  if (!SOURCE.test(at)) return undefined
  return new Problem('usage', 'CONFIG_UNREADABLE', `${at} cannot be read: its permissions do not let you`, {
    hint: `Let yourself read it: chmod u+r ${at}. Is it somebody else's? ls -l ${at}`,
    cause: thrown,
  })
}

const SOURCE = /\.[cm]?[jt]sx?$/

// String() of an object says nothing, and throws where there is no prototype.
function shown(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null) return String(thrown)
  try {
    return JSON.stringify(thrown)
  } catch {
    return Object.prototype.toString.call(thrown)
  }
}

const WITHOUT_DECORATORS = 'Node has no decorators: write the config, and what it imports, without them.'

function isDecorator({ file, line, column }: SourceLocation): boolean {
  return readLines(file)[line - 1]?.[column - 1] === '@'
}

/** jiti reads decorators of classes and methods; at one of a property it stops with a note to authors of Babel plugins. */
function decoratedProperty(file: string, cause: Error): Problem {
  const lines = readLines(file)
  const property = /^\s*@[\w.]+(?:\(.*?\))?\s+(?!class\b)(?:[a-z]+\s+)*[#\w]+[!?]?\s*[=:;]/
  const index = lines.findIndex((line) => property.test(line))
  const column = (lines[index]?.indexOf('@') ?? 0) + 1
  return new Problem('usage', 'CONFIG_SYNTAX', `${path.basename(file)} decorates a property of a class`, {
    ...(index !== -1 && { location: { file, line: index + 1, column } }),
    hint: WITHOUT_DECORATORS,
    cause,
  })
}

/** What a recipe refuses knows its key, but not where it was called from. */
function withPlace(problem: Problem, location: SourceLocation | undefined): Problem {
  const { kind, code, message, details } = problem
  if (details.location !== undefined || location === undefined) return problem
  const placed = new Problem(kind, code, message, { ...details, location })
  if (problem.stack !== undefined) placed.stack = problem.stack
  return placed
}

function missingImport(file: string, error: Error | undefined): Problem {
  const message = error?.message.split('\n', 1)[0] ?? ''
  // Node: Cannot find module '/abs/x' imported from /abs/y. jiti: Cannot find module './x' + Require stack.
  const named = /'([^']+)'/.exec(message)?.[1] ?? 'a module'
  const stack = (error as { requireStack?: readonly string[] } | undefined)?.requireStack
  const importer = toPath(/ imported from (.+)$/.exec(message)?.[1] ?? stack?.[0] ?? file)
  const location = importLine(importer, named)
  const isFile = /^[./]/.test(named)
  return new Problem(
    'usage',
    'CONFIG_IMPORT',
    `${path.basename(importer)} imports ${location.specifier}, which was not found`,
    {
      location: location.place,
      hint: isFile
        ? 'Check the path and the ending of the file.'
        : `Install it: npm install --save-dev ${packageName(location.specifier)}`,
      cause: error,
    },
  )
}

/** The line that imports it: Node tells the file, but not the place. */
function importLine(importer: string, named: string): { specifier: string; place: SourceLocation } {
  const relative = named.startsWith('/') ? path.relative(path.dirname(importer), named) : named
  const short = relative.startsWith('.') || !named.startsWith('/') ? relative : `./${relative}`
  const lines = readLines(importer)
  for (const specifier of [short, named]) {
    for (const [index, line] of lines.entries()) {
      const column = /['"]/.test(line)
        ? Math.max(line.indexOf(`'${specifier}'`), line.indexOf(`"${specifier}"`))
        : -1
      if (column !== -1) return { specifier, place: { file: importer, line: index + 1, column: column + 1 } }
    }
  }
  return { specifier: short, place: { file: importer, line: 1, column: 1 } }
}

function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

function syntaxPlace(error: Error): { location: SourceLocation; reason: string } | undefined {
  // jiti: "ParseError: Unexpected token  \n /abs/file.ts:1:22"
  const parsed = /^ParseError: ([^]*?)\s*\n\s*(\/.+):(\d+):(\d+)\s*$/.exec(error.message)
  if (parsed) {
    const [, reason = '', file = '', line, column] = parsed
    // Babel counts columns from 0.
    return { reason, location: { file, line: Number(line), column: Number(column) + 1 } }
  }
  return error instanceof SyntaxError ? nodePlace(error.stack ?? '', error.message) : undefined
}

/** Node keeps the place of a syntax error in JavaScript to itself, but `node --check`, which runs nothing, prints it. */
function checkedPlace(file: string): { location: SourceLocation; reason: string } | undefined {
  const { stderr } = spawnSync(process.execPath, ['--check', file], { encoding: 'utf8', timeout: 10_000 })
  const [, reason] = /^SyntaxError: (.*)$/m.exec(stderr) ?? []
  return reason === undefined ? undefined : nodePlace(stderr, reason)
}

/** Node's own form: "/abs/file.ts:1", some source lines, and one of carets below the one that is meant. */
function nodePlace(text: string, reason: string): { location: SourceLocation; reason: string } | undefined {
  const [where = '', ...rest] = text.split('\n')
  const native = /^((?:file:\/\/)?\/.+?):(\d+)$/.exec(where)
  if (!native) return undefined
  const [, at = '', line] = native
  const carets = rest.find((row) => /^\s*\^+\s*$/.test(row)) ?? '^'
  return { reason, location: { file: toPath(at), line: Number(line), column: carets.indexOf('^') + 1 } }
}

/** The config itself where it is on the stack, else the first file that is not a dependency's. */
function firstUserFrame(error: Error, file: string, exactColumns: boolean): SourceLocation | undefined {
  const places = (error.stack ?? '').split('\n').flatMap((line): SourceLocation[] => {
    const [, where, row, column] = PLACE.exec(line) ?? []
    if (where === undefined || /\/(node_modules|dist)\//.test(where)) return []
    return [{ file: toPath(where), line: Number(row), column: Number(column) }]
  })
  const folder = path.dirname(file) + path.sep
  const place = places.find((frame) => frame.file.startsWith(folder))
  return place && !exactColumns ? { ...place, column: firstWord(place) } : place
}

/** jiti tells the line only: the `throw` in it, else its first word. */
function firstWord(place: SourceLocation): number {
  const line = readLines(place.file)[place.line - 1] ?? ''
  const thrown = line.search(/\bthrow\b/)
  return Math.max(0, thrown === -1 ? line.search(/\S/) : thrown) + 1
}

function readLines(file: string): readonly string[] {
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/)
  } catch {
    return []
  }
}
