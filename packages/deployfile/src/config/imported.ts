import { fileURLToPath } from 'node:url'

export interface ImportedModule {
  readonly exports: Readonly<Record<string, unknown>>
  /** False where jiti rewrote the source: lines are right, columns are not. */
  readonly exactColumns: boolean
}

/** What was thrown while importing, with what is known about it. */
export interface ImportFailure {
  readonly thrown: unknown
  readonly exactColumns: boolean
}

export function codeOf(thrown: unknown): string | undefined {
  const code = typeof thrown === 'object' && thrown !== null && 'code' in thrown ? thrown.code : undefined
  return typeof code === 'string' ? code : undefined
}

/** A path out of `file:///…` or a plain path. */
export function toPath(where: string): string {
  return where.startsWith('file://') ? fileURLToPath(where) : where
}
