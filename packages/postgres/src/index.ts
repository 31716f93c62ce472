export { createBackup, backupFile, discardBackup, removeBackup } from './backup/create.ts'
export { downloadBackup, sendBackup, uploadBackup } from './backup/transfer.ts'
export { backupNotFound, findBackup, readBackup, type FoundBackup } from './backup/find.ts'
export { makeFolder } from './backup/folder.ts'
export { listBackups, type BackupListing, type IncompleteBackup } from './backup/list.ts'
export { manifestPath, type Backup, type BackupManifest } from './backup/manifest.ts'
export { newStamp, stampOf, type BackupLabel, type Stamp } from './backup/name.ts'
export { previewBackup, previewRestore } from './backup/preview.ts'
export { pruneBackups, type Keep, type Pruned, type PruneOptions } from './backup/prune.ts'
export { formatBytes } from './backup/size.ts'
export { verifyBackup, type VerifiedBackup } from './backup/verify.ts'
export type { DumpChoices } from './client/choices.ts'
export type { Password } from './connection/passfile.ts'
export { openTunnel, type Tunnel } from './connection/tunnel.ts'
export { parseDatabaseUrl, type Connection } from './connection/url.ts'
export { readIdentity, type DatabaseIdentity, type Identity } from './identity/identity.ts'
export { readKnown, remember, type KnownIdentity } from './identity/known.ts'
export {
  judgeTarget,
  refuseProductionStage,
  type ProductionDatabase,
  type TargetFacts,
  type Verdict,
} from './restore/guard.ts'
export { examineSite, healSite } from './restore/heal.ts'
export type { RestoreChoices } from './restore/choices.ts'
export type { RestoreOrder, RestoreResult } from './restore/order.ts'
export { preflight, readSource, type Readiness, type SourceFacts } from './restore/preflight.ts'
export { cleanUpRestore, restoreBackup } from './restore/restore.ts'
export { restoreFrom, type CopyOrder } from './restore/restore-from.ts'
export type { Rights, Strategy } from './restore/rights.ts'
export { openTarget, type Target } from './restore/target.ts'
export type { Site } from './site.ts'
export { openServer, type OpenOptions, type Server } from './sql/query.ts'
