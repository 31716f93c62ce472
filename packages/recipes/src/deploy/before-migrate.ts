import type { Task } from '@deployfile/core'
import type { Settled } from '../source/source.ts'
import type { HostState } from './host-state.ts'

/** A release on a host, as `deploy:release` made it. */
export interface Release {
  /** 14 digits, UTC. */
  readonly name: string
  /** Absolute: `<deployTo>/releases/<name>`. */
  readonly path: string
  /** The full hash of its commit. */
  readonly revision: string
  readonly branch: string
  /** What `current` was a link to when the release was made; absent on a first deploy. */
  readonly previous?: string
}

/** `branch=` and `revision=` on the command line. */
export interface RevisionInput {
  branch?: string | undefined
  revision?: string | undefined
}

/** What is going to be deployed: the same on every host. */
export interface Revision extends Settled {
  /** Of the release, 14 digits. */
  readonly name: string
}

/** What migrations were applied, where the task knows. */
export interface Migration {
  readonly applied?: readonly string[]
}

// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- what core calls the input of a task that takes none
export type NoInput = {}

export type MigrateTask = Task<'deploy:migrate', NoInput, Migration | undefined, 'primary'>

/** A task without a body, for hooks to stand before and after. */
export type Milestone<Name extends string> = Task<`deploy:${Name}`, NoInput, void, 'once'>

/** What comes before migrations: what a `migrate` task of your own may need. */
export interface TasksBeforeMigrate {
  readonly starting: Milestone<'starting'>
  /** Directories, linked files and programs of a host; changes nothing. */
  readonly check: Task<'deploy:check', NoInput, HostState, 'each'>
  /** Branch to commit, and the name of the release; changes nothing. */
  readonly revision: Task<'deploy:revision', RevisionInput, Revision, 'primary'>
  readonly started: Milestone<'started'>
  readonly updating: Milestone<'updating'>
  readonly release: Task<'deploy:release', NoInput, Release, 'each'>
  readonly updated: Milestone<'updated'>
}
