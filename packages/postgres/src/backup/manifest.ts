import * as z from 'zod'

const identitySchema = z.object({ system: z.string().regex(/^\d+$/), oid: z.number().int().positive() })

const manifestSchema = z.object({
  v: z.literal(1),
  status: z.literal('done'),
  application: z.string(),
  stage: z.string(),
  database: z.string(),
  /** The host that the database was reached from. */
  host: z.string(),
  /** Of the source, by which it is known again; null when the server did not tell. */
  identity: identitySchema.nullable(),
  createdAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  serverVersion: z.string(),
  clientVersion: z.string(),
  archiveVersion: z.string(),
  format: z.literal('custom'),
  compress: z.string(),
  bytes: z.number().int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  tocEntries: z.number().int().nonnegative(),
  tables: z.number().int().nonnegative(),
  extensions: z.array(z.string()),
  /** Of the database on its server, with indexes; absent in backups of older versions of deployfile. */
  databaseBytes: z.number().int().nonnegative().optional(),
  /** What it does not hold, in the patterns of pg_dump; absent when it holds everything. */
  excluded: z
    .object({ tables: z.array(z.string()), data: z.array(z.string()), rows: z.boolean() })
    .optional(),
})

/** What is known of a backup: `<file>.json` beside it, written last, so that a file that has one is whole. */
export type BackupManifest = Readonly<z.infer<typeof manifestSchema>>

/** A backup and the place of its archive on one host. */
export interface Backup extends BackupManifest {
  /** Absolute path on {@link Backup.on}. */
  readonly file: string
  /** The host that has the file. */
  readonly on: string
}

/** Undefined for what is not a whole manifest: such a backup is not trusted. */
export function parseManifest(text: string): BackupManifest | undefined {
  try {
    const parsed = manifestSchema.safeParse(JSON.parse(text))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}

/** One line, so that many can be read by one command. Fields of {@link Backup} that are not of the manifest are left out. */
export function formatManifest(manifest: BackupManifest): string {
  return `${JSON.stringify(manifestSchema.parse(manifest))}\n`
}

export function manifestPath(file: string): string {
  return `${file}.json`
}
