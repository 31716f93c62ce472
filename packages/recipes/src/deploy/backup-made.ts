import type { BaseContext } from '@deployfile/core'

/** What people are told of a backup that was made before migrations; '' where the task that made it told no file. */
export function nameBackup(backup: unknown): string {
  if (typeof backup !== 'object' || backup === null) return ''
  const { file, on } = backup as { readonly file?: unknown; readonly on?: unknown }
  if (typeof file !== 'string') return ''
  return `The backup that was made before: ${file}${typeof on === 'string' ? ` on ${on}` : ''}`
}

/** At the end of a run that failed: names the backup, unless a failure has done so. */
export function tellBackup({ failures, log }: Pick<BaseContext, 'failures' | 'log'>, backup: unknown): void {
  const named = nameBackup(backup)
  if (named === '' || failures.length === 0) return
  if (!failures.some(({ problem }) => problem.hint?.includes(named) === true)) log(named)
}
