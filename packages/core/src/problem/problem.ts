import type { CommandFailure } from './command-failure.ts'
import { redact } from '../secret/redact.ts'
import type { SourceLocation } from './location.ts'

/**
 * When a problem is found decides the exit code (design §5):
 * `usage` 2, the command line or the config is wrong and nothing was connected;
 * `check` 3, the world is not ready (a check failed, a host is unreachable, a question was not answered);
 * `task` 1, something that was being done failed.
 */
export type ProblemKind = 'usage' | 'check' | 'task'

export interface ProblemDetails {
  /** What to do about it, as a sentence or a command to type. */
  readonly hint?: string | undefined
  /** Where in the user's own files. */
  readonly location?: SourceLocation | undefined
  /** The key of the config that is meant, so that a code frame can point at it. */
  readonly key?: string | undefined
  readonly host?: string | undefined
  /** The file or folder that is meant: on `host`, or on this machine where no host is named. */
  readonly path?: string | undefined
  /** Nothing was done, and the same again may work: a refused connection is, a refused login is not. Absent: nobody knows. */
  readonly retryable?: boolean | undefined
  /** The command that failed, when it was one. */
  readonly command?: CommandFailure | undefined
  /** What failed in tasks that were called, when that is what this problem is. */
  readonly called?: readonly CalledFailure[] | undefined
  readonly cause?: unknown
}

/** A failure of a node that was called from another one's body. */
export interface CalledFailure {
  readonly node: string
  readonly problem: ProblemRecord
}

/** What a journal, a JSON renderer and another process see of a problem. */
export interface ProblemRecord {
  readonly code: string
  readonly kind: ProblemKind
  readonly message: string
  readonly hint?: string
  readonly host?: string
  readonly path?: string
  readonly retryable?: boolean
  readonly location?: SourceLocation
  readonly key?: string
  readonly command?: CommandFailure
  readonly called?: readonly CalledFailure[]
  /** Shown with --verbose only. */
  readonly stack?: string
}

const BRAND = Symbol.for('deployfile.problem')

/**
 * An error that a person can act on: `message` says what and where, `hint` what to do.
 * Codes are upper-case words (`HOST_UNREACHABLE`), stable across versions. Recognised by {@link isProblem}, never by `instanceof`,
 * because two copies of this package may meet.
 */
export class Problem extends Error {
  readonly [BRAND] = true
  readonly code: string
  readonly kind: ProblemKind
  readonly details: ProblemDetails

  constructor(kind: ProblemKind, code: string, message: string, details: ProblemDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'Problem'
    this.code = code
    this.kind = kind
    this.details = details
  }
}

export function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && BRAND in value
}

/**
 * Anything that was thrown, as data, without the values of secrets: it goes to the screen, the journal and other processes. A string,
 * `undefined` or a frozen object thrown by a task is kept readable.
 */
export function toRecord(thrown: unknown): ProblemRecord {
  try {
    return recordOf(thrown)
  } catch {
    // A proxy, or a getter that throws itself.
    return { code: 'TASK_THREW', kind: 'task', message: 'a value was thrown that cannot be read' }
  }
}

function recordOf(thrown: unknown): ProblemRecord {
  if (isProblem(thrown)) {
    const { hint, host, path, retryable, location, key, command, called } = thrown.details
    return {
      code: thrown.code,
      kind: thrown.kind,
      message: redact(thrown.message),
      ...(hint !== undefined && { hint: redact(hint) }),
      ...(host !== undefined && { host }),
      ...(path !== undefined && { path: redact(path) }),
      ...(retryable !== undefined && { retryable }),
      ...(location && { location }),
      ...(key !== undefined && { key }),
      ...(command && { command }),
      ...(called && { called }),
      ...(thrown.stack !== undefined && { stack: redact(thrown.stack) }),
    }
  }
  if (thrown instanceof Error) {
    // Anybody may have put anything there.
    const { message, stack }: { readonly message: unknown; readonly stack?: unknown } = thrown
    return {
      code: 'TASK_THREW',
      kind: 'task',
      message: redact(typeof message === 'string' ? message || thrown.name : show(message)),
      ...(typeof stack === 'string' && { stack: redact(stack) }),
    }
  }
  return {
    code: 'TASK_THREW',
    kind: 'task',
    message: redact(`a value that is not an Error was thrown: ${show(thrown)}`),
  }
}

function show(value: unknown): string {
  const text = asJson(value) ?? (typeof value === 'function' ? 'a function' : String(value))
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
}

const LONGEST = 500

function asJson(value: unknown): string | undefined {
  try {
    // Undefined for what has no JSON, whatever its type says.
    return JSON.stringify(value)
  } catch {
    return Object.prototype.toString.call(value)
  }
}
