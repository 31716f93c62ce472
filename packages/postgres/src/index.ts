export { createBackup, backupFile, discardBackup, removeBackup } from './backup/create.ts'
export { fetchBackup, sendBackup } from './backup/fetch.ts'
export { backupNotFound, findBackup, readBackup, type FoundBackup } from './backup/find.ts'
export { makeFolder } from './backup/folder.ts'
export { listBackups, type BackupListing, type IncompleteBackup } from './backup/list.ts'
export type { Backup, BackupManifest } from './backup/manifest.ts'
export { newStamp, stampOf, type BackupLabel, type Stamp } from './backup/name.ts'
export { previewBackup, previewRestore } from './backup/preview.ts'
export { formatBytes } from './backup/size.ts'
export type { Password } from './connection/passfile.ts'
export { parseDatabaseUrl, type Connection } from './connection/url.ts'
export { readIdentity, type DatabaseIdentity, type Identity } from './identity/identity.ts'
export { readKnown, remember, type KnownIdentity } from './identity/known.ts'
export {
  judgeTarget,
  refuseProductionStage,
  type Permission,
  type ProductionDatabase,
  type TargetFacts,
} from './restore/guard.ts'
export { healSite } from './restore/heal.ts'
export { cleanUpRestore, restoreBackup, type RestoreOrder, type RestoreResult } from './restore/restore.ts'
export { openTarget, type Target } from './restore/target.ts'
export type { Site } from './site.ts'
export { openServer, type OpenOptions, type Server } from './sql/query.ts'
