import type { Duration, HostSelector, OnPick, Option, PerStage, Rolling, Task } from '@deployfile/core'
import type { RestartStrategy } from '../restart/strategy.ts'
import type { GitSource } from '../source/git.ts'
import type { Source } from '../source/source.ts'
import type { MigrateTask, NoInput, TasksBeforeMigrate } from './before-migrate.ts'

/** Options of {@link deploy} from a git repository. A per-stage one is a value, `perStage({…})`, or a function of the stage (and of the host). */
export interface DeployOptions<S extends string = string> extends CommonOptions<S> {
  /** As git takes it, seen from the hosts: `git@git.example.com:app.git`, `https://…`, `file:///…`. */
  readonly repository: Option<string, S>
  /** A branch, a tag, or a full commit hash. */
  readonly branch: Option<string, S>
  /** `git({ submodules: true })` and the like; for some stages perhaps something else. Default: all of the commit, by a full mirror. */
  readonly source?: Option<GitSource | Source, S>
}

/** Options of {@link deploy} from what is built here or in CI: `directory({ path: 'dist' })`, `archive({ url: …, sha256: … })`. */
export interface DeployElsewhereOptions<S extends string = string> extends CommonOptions<S> {
  readonly source: Option<Source, S>
  readonly repository?: undefined
  readonly branch?: undefined
}

interface CommonOptions<S extends string> {
  readonly application: Option<string, S>
  /** Absolute, or relative to the login's home (on a local host: to its root). */
  readonly deployTo: Option<string, S>
  /**
   * Files that live in `shared` and are linked into each release: `config/database.yml`. They must be there, unless `optional` or
   * `upload` says otherwise. Default none.
   */
  readonly linkedFiles?: Option<readonly (string | LinkedFile)[], S>
  /** Folders that live in `shared`: `log`, `public/system`. Made when absent. Default none. */
  readonly linkedDirs?: Option<readonly string[], S>
  /**
   * Everything on hosts is done as this user, by sudo (see `sudo` of a host, which must allow `sh` as that user), so that all in
   * deployTo is its own. A relative deployTo stays below the login's home. Default: the login.
   */
  readonly user?: Option<string, S>
  /** The environment of everything that is run on hosts: `{ RAILS_ENV: 'production' }`. Never a secret. Default none. */
  readonly env?: Option<Readonly<Record<string, string>>, S>
  /** Of everything that is made on hosts, octal: `'002'` lets a group write. Default: the login's. */
  readonly umask?: Option<string, S>
  /** The group of each release and of what is made in `shared`, which the login must be in: `'www-data'`. Default: the login's. */
  readonly group?: Option<string, S>
  /** Good releases that cleanup leaves. Default 5. */
  readonly keepReleases?: Option<number, S>
  /** A command that `deploy:migrate` runs in the release, or a function that makes the task `deploy:migrate`. */
  readonly migrate?: string | PerStage<S, string> | ((tasks: TasksBeforeMigrate) => MigrateTask)
  /** A strategy such as `passenger()`, or a command that is run in `current`. Default: nothing is restarted. */
  readonly restart?: Option<RestartStrategy | string, S>
  /**
   * Restarts the hosts in batches, `{ batch: 1, wait: '10s' }`: with `verify` the next batch begins when all of one are well. Default:
   * all hosts at once.
   */
  readonly rolling?: Pick<Rolling, 'batch' | 'wait'>
  /**
   * What must be well after a restart, tried again and again until it is: a URL (asked from this machine), a command (run on each host
   * in `current`), or `{ url, revision: true }` and the like. Default: nothing.
   */
  readonly verify?: Option<string | Verify, S>
  /**
   * When restart or verify fails after the flip: 'rollback' (default) goes back on every host, unless migrations ran in this run;
   * 'rollback-despite-migrations' goes back in any case; 'stop' leaves every host on the new release. A flip that fails on one host
   * always goes back on all.
   */
  readonly onUnhealthy?: Option<OnUnhealthy, S>
  /** What becomes of a release whose deploy failed: 'remove' (default), or 'keep' under the name `.<release>.failed`. */
  readonly failedReleases?: Option<'remove' | 'keep', S>
  /**
   * What becomes of a release that was rolled back: 'archive' (default) packs it into `rolled-back-release-<name>.tar.gz` and removes
   * it, as Capistrano does; 'keep' leaves it.
   */
  readonly rolledBack?: Option<'archive' | 'keep', S>
  /**
   * Where migrations are in the repository, one file each: `db/migrate`; or `{ command: 'bin/rails db:migrate:status' }`, run in both
   * releases: what it prints in one and not in the other. Then a rollback shows those that the older code lacks, and asks, and a plain
   * deploy tells of those that it does not run. Default: nobody looks.
   */
  readonly migrations?: Option<string | MigrationsCommand, S>
  /** What a plain deploy does about migrations that it does not run: 'warn' (default), 'ask' or 'refuse'. Needs `migrations`. */
  readonly pendingMigrations?: Option<'warn' | 'ask' | 'refuse', S>
  /** The page of `deploy:maintenance:on`, which the web server must show instead of the application when it is there. */
  readonly maintenance?: Option<Maintenance, S>
  /** Linked folders that `shared:pull` and `shared:push` move between a stage and this machine: `['public/system']`. Default none. */
  readonly uploads?: Option<readonly string[], S>
  /** Run right before `deploy:migrate`, in `deploy:migrations`: `db.tasks.create`. When something fails later, its file is named. */
  readonly backup?: Task<string, NoInput, unknown, 'primary' | 'once'>
  /**
   * One deploy at a time: the others end with exit code 3, or wait (`--lock-wait`). The lock is on the first host that gets the
   * application. Default true.
   */
  readonly lock?: Option<boolean, S>
  /** The hosts that get the application. Default: every host of the stage. */
  readonly on?: HostSelector
  /** Where `deploy:migrate` runs. Default: the primary host of role `db` among those that get the application. */
  readonly migrateOn?: OnPick & { readonly pick: 'primary' }
}

export interface LinkedFile {
  /** Below `shared`, and in each release. */
  readonly path: string
  /** Where it is not in `shared`, it is not linked, and what the release has of it stays. Default false. */
  readonly optional?: boolean | undefined
  /**
   * A file on this machine that is put into `shared`, readable by the login only, where there is none yet: `'config/master.key'`. It is
   * never replaced. Relative to the folder of deploy.config.ts.
   */
  readonly upload?: string | undefined
}

/** Tells migrations where they are not files of one folder. */
export interface MigrationsCommand {
  /** Only reads, and prints one a line, in the folder of a release. */
  readonly command: string
}

export interface Maintenance {
  /** A file on this machine, relative to the folder of deploy.config.ts. Default: a plain page of ours. */
  readonly page?: string
  /** Below `shared`, in a linked folder. Default `public/system/maintenance.html`, as Capistrano's. */
  readonly path?: string
}

export type OnUnhealthy = 'rollback' | 'rollback-despite-migrations' | 'stop'

/** How a release proves that it is good, once the application was restarted: an answer from a URL, or a command. */
export interface Verify {
  /** Asked from this machine: it must answer with a status from 200 to 299. */
  readonly url?: string
  /** Run on each host, in `current`. */
  readonly command?: string
  /** Text that the answer must contain. */
  readonly contains?: string
  /** The answer must contain the full hash of the release's commit: what serves is what was deployed. Default false. */
  readonly revision?: boolean
  /** Default 10. */
  readonly attempts?: number
  /** Between two attempts; default '2s'. */
  readonly wait?: Duration
  /** For one attempt; default '10s'. */
  readonly timeout?: Duration
}
