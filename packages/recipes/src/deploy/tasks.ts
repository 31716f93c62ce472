import type { Task } from '@deployfile/core'
import type { HostState } from './host-state.ts'
import type { MigrateTask, Milestone, NoInput, RevisionInput, TasksBeforeMigrate } from './before-migrate.ts'
import type { HeldLock, LockInfo } from './lock/info.ts'
import type { Pending } from './pending.ts'
import type { ListedRelease } from './releases.ts'
import type { Unequal } from './migrations-between.ts'

/** A flip of `current`. */
export interface Flip {
  /** The release that `current` now points to. */
  readonly name: string
  /** The text of the link before; absent when there was none. */
  readonly previous?: string
}

type Fence<Name extends string> = Task<`deploy:lock:before_${Name}`, NoInput, HeldLock | undefined, 'primary'>

/** Whether a failure after the flip goes back to the release before. */
export interface Decision {
  readonly goesBack: boolean
  /** Why not. */
  readonly because?: string
  /** The backup that was made before migrations, as people are told of it. */
  readonly backup?: string
}

/** What {@link DeployOptions.backup} makes: where its result has `file` and `on`, failures name them. */
export type BackupTask = Task<'deploy:backup', NoInput, unknown, 'primary'>

/** The tasks of {@link deploy}, by the property under which others need them. */
export interface DeployTasks extends TasksBeforeMigrate {
  readonly deploy: Task<'deploy', NoInput, void, 'once'>
  readonly migrations: Milestone<'migrations'>
  /** Takes the lock of the deployment, and gives it back when the run is over, however it ends. */
  readonly lockHold: Task<'deploy:lock:hold', NoInput, HeldLock | undefined, 'primary'>
  readonly pendingMigrations: Task<'deploy:pending_migrations', NoInput, Unequal | undefined, 'primary'>
  readonly backup: BackupTask
  readonly lockBeforeMigrate: Fence<'migrate'>
  readonly migrate: MigrateTask
  readonly publishing: Milestone<'publishing'>
  readonly lockBeforePublish: Fence<'publish'>
  readonly publish: Task<'deploy:publish', NoInput, Flip, 'each'>
  readonly decide: Task<'deploy:decide', NoInput, Decision, 'once'>
  readonly published: Milestone<'published'>
  readonly restart: Task<'deploy:restart', NoInput, void, 'each'>
  readonly verify: Task<'deploy:verify', NoInput, void, 'each'>
  /** The point of no return. */
  readonly healthy: Task<'deploy:healthy', NoInput, void, 'once'>
  readonly finishing: Milestone<'finishing'>
  readonly cleanup: Task<
    'deploy:cleanup',
    NoInput,
    { readonly removed: readonly string[] } | undefined,
    'each'
  >
  readonly logRevision: Task<'deploy:log_revision', NoInput, void, 'each'>
  readonly finished: Milestone<'finished'>
  readonly rollback: Milestone<'rollback'>
  readonly rollbackCheck: Task<'deploy:rollback:check', NoInput, HostState, 'each'>
  readonly rollbackTarget: Task<
    'deploy:rollback:target',
    { release?: string | undefined },
    { readonly name: string },
    'once'
  >
  readonly rollbackMigrations: Task<'deploy:rollback:migrations', NoInput, Unequal | undefined, 'primary'>
  readonly reverting: Milestone<'reverting'>
  readonly lockBeforeRevert: Fence<'revert'>
  readonly revert: Task<'deploy:revert', NoInput, Flip, 'each'>
  readonly reverted: Milestone<'reverted'>
  readonly rollbackArchive: Task<
    'deploy:rollback:archive',
    NoInput,
    { readonly archive: string } | undefined,
    'each'
  >
  readonly releasesHost: Task<'deploy:releases:host', NoInput, readonly ListedRelease[], 'each'>
  readonly releases: Task<'deploy:releases', NoInput, void, 'once'>
  readonly pending: Task<'deploy:pending', RevisionInput, Pending, 'primary'>
  readonly maintenanceOn: Task<'deploy:maintenance:on', { message?: string | undefined }, void, 'each'>
  readonly maintenanceOff: Task<'deploy:maintenance:off', NoInput, void, 'each'>
  readonly sharedPull: Task<'shared:pull', NoInput, void, 'primary'>
  readonly sharedPushConfirm: Task<'shared:push:confirm', NoInput, void, 'primary'>
  readonly sharedPush: Task<'shared:push', NoInput, void, 'each'>
  /** For the config's `onFailure`, so that hooks can stand before and after it. */
  readonly failed: Milestone<'failed'>
  readonly lock: Task<'deploy:lock', { message?: string | undefined }, LockInfo, 'primary'>
  readonly unlock: Task<'deploy:unlock', NoInput, LockInfo, 'primary'>
  readonly lockStatus: Task<'deploy:lock:status', NoInput, LockInfo, 'primary'>
}
