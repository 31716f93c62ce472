export { deploy } from './deploy/deploy.ts'
export type { DeployOptions } from './deploy/options.ts'
export type { HostState, ReleaseDir } from './deploy/host-state.ts'
export type { ReleaseState } from './deploy/ledger.ts'
export type {
  DeployTasks,
  Flip,
  MigrateTask,
  Migration,
  NoInput,
  Release,
  Revision,
  TasksBeforeMigrate,
} from './deploy/tasks.ts'
export { passenger, type PassengerOptions } from './restart/passenger.ts'
export type { RestartContext, RestartStrategy } from './restart/strategy.ts'
export { postgres } from './database/postgres.ts'
export type { DatabaseSpec, PostgresOptions } from './database/options.ts'
export type { ListedBackup, PostgresTasks } from './database/tasks.ts'
