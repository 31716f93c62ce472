export { deploy } from './deploy/deploy.ts'
export type { HeldLock, LockInfo } from './deploy/lock/info.ts'
export type {
  DeployElsewhereOptions,
  DeployOptions,
  LinkedFile,
  Maintenance,
  MigrationsCommand,
  OnUnhealthy,
} from './deploy/options.ts'
export type { Commit, Pending } from './deploy/pending.ts'
export type { ListedRelease, ReleaseStatus } from './deploy/releases.ts'
export type { Unequal } from './deploy/migrations-between.ts'
export type { Verify } from './deploy/options.ts'
export type { Building, HostState, ReleaseDir } from './deploy/host-state.ts'
export type { ReleaseState } from './deploy/ledger.ts'
export type { BackupTask, Decision, DeployTasks, Flip } from './deploy/tasks.ts'
export type {
  MigrateTask,
  Migration,
  NoInput,
  Release,
  Revision,
  RevisionInput,
  TasksBeforeMigrate,
} from './deploy/before-migrate.ts'
export { command, type CommandStrategyOptions } from './restart/command.ts'
export { archive, type ArchiveOptions } from './source/archive.ts'
export { directory, type DirectoryOptions } from './source/directory.ts'
export { git, type GitOptions, type GitSource } from './source/git.ts'
export type { Packed, Settled, Source, SourceScript } from './source/source.ts'
export { passenger, type PassengerOptions } from './restart/passenger.ts'
export { pm2, type Pm2Options } from './restart/pm2.ts'
export { puma, type PumaOptions } from './restart/puma.ts'
export type { SignalOptions } from './restart/signalled.ts'
export { systemd, type SystemdOptions } from './restart/systemd.ts'
export { unicorn, type UnicornOptions } from './restart/unicorn.ts'
export type { RestartContext, RestartStrategy } from './restart/strategy.ts'
export { postgres } from './database/postgres.ts'
export type { DatabaseSpec, PostgresOptions, RestoreSpec, Sql, Store, Stored } from './database/options.ts'
export type { DownloadedBackup, ListedBackup, PostgresTasks, PrunedBackups } from './database/tasks.ts'
