export { deploy } from './deploy/deploy.ts'
export type { HeldLock, LockInfo } from './deploy/lock/tasks.ts'
export type { DeployOptions, Maintenance, OnUnhealthy } from './deploy/options.ts'
export type { Commit, Pending } from './deploy/pending.ts'
export type { ListedRelease, ReleaseStatus } from './deploy/releases.ts'
export type { Unequal } from './deploy/schema-tasks.ts'
export type { Verify } from './deploy/verify.ts'
export type { Building, HostState, ReleaseDir } from './deploy/host-state.ts'
export type { ReleaseState } from './deploy/ledger.ts'
export type {
  BackupTask,
  Decision,
  DeployTasks,
  Flip,
  MigrateTask,
  Migration,
  NoInput,
  Release,
  Revision,
  RevisionInput,
  TasksBeforeMigrate,
} from './deploy/tasks.ts'
export { passenger, type PassengerOptions } from './restart/passenger.ts'
export type { RestartContext, RestartStrategy } from './restart/strategy.ts'
export { postgres } from './database/postgres.ts'
export type { DatabaseSpec, PostgresOptions } from './database/options.ts'
export type { ListedBackup, PostgresTasks } from './database/tasks.ts'
