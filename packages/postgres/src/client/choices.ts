import { Problem } from '@deployfile/core'

/** What of a database a backup takes, and how it is packed. */
export interface DumpChoices {
  /**
   * 'auto' (default): zstd:1 where pg_dump has it (16 and later), else zlib:1. A number is a level of zlib, 1 to 9; else pg_dump's own
   * words: 'zstd:3', 'lz4'. Never uncompressed, where a flipped bit would be restored as data.
   */
  readonly compress?: number | string
  /** Patterns of pg_dump (`audit.*`, `old_*`): tables that are left out altogether. */
  readonly excludeTables?: readonly string[]
  /** Tables that come without their rows. */
  readonly excludeTableData?: readonly string[]
  /** No rows at all. */
  readonly schemaOnly?: boolean
}

/**
 * What pg_dump is told, and what the manifest says of it.
 * @throws Problem `BACKUP_COMPRESS` (usage)
 */
export function chooseCompression(
  wanted: DumpChoices['compress'],
  major: number,
): { argument: string; told: string } {
  if (wanted === undefined || wanted === 'auto') {
    return major >= 16 ? { argument: 'zstd:1', told: 'zstd:1' } : { argument: '1', told: 'zlib:1' }
  }
  const [method, level] = (typeof wanted === 'number' ? `zlib:${wanted}` : wanted).split(':') as [
    string,
    string?,
  ]
  const fits =
    ((method === 'zlib' || method === 'gzip') && /^[1-9]$/.test(level ?? '6')) ||
    ((method === 'zstd' || method === 'lz4') && /^([1-9]|1[0-9]|2[0-2])$/.test(level ?? '1'))
  if (!fits) {
    throw new Problem('usage', 'BACKUP_COMPRESS', `a backup cannot be compressed by '${wanted}'`, {
      hint: "Give 'auto', a level of zlib from 1 to 9, 'zstd:1' to 'zstd:19', or 'lz4'.",
    })
  }
  if (method === 'zlib' || method === 'gzip') {
    const own = level ?? '6'
    return { argument: own, told: `zlib:${own}` }
  }
  if (major < 16) {
    throw new Problem(
      'check',
      'BACKUP_COMPRESS',
      `pg_dump ${major} does not know the compression '${wanted}'`,
      {
        hint: "It is there since PostgreSQL 16. Give 'auto', which takes it where it is.",
      },
    )
  }
  return { argument: level === undefined ? method : `${method}:${level}`, told: String(wanted) }
}

export function dumpArguments({
  excludeTables = [],
  excludeTableData = [],
  schemaOnly,
}: DumpChoices): string[] {
  return [
    ...excludeTables.map((pattern) => `--exclude-table=${pattern}`),
    ...excludeTableData.map((pattern) => `--exclude-table-data=${pattern}`),
    ...(schemaOnly === true ? ['--schema-only'] : []),
  ]
}
