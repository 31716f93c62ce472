export { deploy } from './deploy/deploy.ts'
export type { DeployOptions } from './deploy/options.ts'
export type { HostState, ReleaseDir } from './deploy/host-state.ts'
export type { ReleaseState } from './deploy/ledger.ts'
export type {
  DeployTasks,
  Flip,
  MigrateTask,
  Migration,
  Release,
  Revision,
  TasksBeforeMigrate,
} from './deploy/tasks.ts'
export { passenger, type PassengerOptions } from './restart/passenger.ts'
export type { RestartContext, RestartStrategy } from './restart/strategy.ts'
