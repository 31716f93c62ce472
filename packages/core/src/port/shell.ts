import type { Writable } from 'node:stream'
import type { Host } from '../host/host.ts'
import type { Secret } from '../secret/secret.ts'
import type { Duration } from '../task/duration.ts'
import type { ForwardOptions, Forwarding, ForwardTarget } from './forward.ts'
import type { LendTerminal } from './terminal.ts'

/** A value inside a command's template: quoted as one shell word; an array becomes one word per element. */
export type ShellValue = string | number | boolean | readonly (string | number)[]

export interface CommandOptions {
  /** The command fails when the folder is missing; it never runs elsewhere. Default: the login's home, locally the config's folder. */
  readonly cwd?: string
  /** Added to the environment. Never put a secret here: use `secrets`. */
  readonly env?: Readonly<Record<string, string>>
  /**
   * Added to the environment of the command, by name: `{ PGPASSWORD: secret.env('DB_PASSWORD') }`. They travel on standard input, so
   * that no list of processes shows them, and are hidden in all that is printed from then on. A command that is given one as an
   * argument cannot hide it.
   */
  readonly secrets?: Readonly<Record<string, Secret>>
  /**
   * Runs as this user, by sudo: `-n` when the host has no `sudo.password`, else with it, on standard input. Applies to files as well.
   * sudo must allow `sh` as that user. Paths start where they start without it; HOME is that user's, PATH is sudo's.
   */
  readonly user?: string
  /**
   * Written to the command's standard input, which is then closed. A stream (a Readable, or anything that gives pieces) is read as
   * fast as the command reads, and can be used once. Default: an empty standard input.
   */
  readonly input?: string | Uint8Array | Secret | AsyncIterable<string | Uint8Array>
  /**
   * Takes standard output as it comes, waiting where it cannot follow, in place of `stdout` and of the lines in the log. Ended when the
   * command has succeeded, destroyed when it has not. For `sh`, `run` and `script`.
   */
  readonly output?: Writable
  /** For the whole command; '30s', '10m' or milliseconds. Default: none (a migration may take hours); the run's signal always applies. */
  readonly timeout?: Duration
  /** The longest that it may neither print nor take or give anything; '30s', '10m' or milliseconds. Default: none. */
  readonly idle?: Duration
  /** For example 0o022. Default: the login's own. */
  readonly umask?: number
  /**
   * Gives it a terminal, for programs that insist on one. Standard error then comes with standard output, and programs print for people
   * (colours, progress, pagers). Standard input is empty all the same; there can be no `input` and no `secrets`, because a terminal
   * changes what is typed into it. Default false.
   */
  readonly pty?: boolean
  /**
   * The command changes nothing, and what it prints is for the program: `run` and `script` are then shown only with --verbose, as
   * `capture` and `test` always are. Default false.
   */
  readonly reads?: boolean
}

export interface CommandOutput {
  readonly stdout: string
  readonly stderr: string
  /** True when the middle was left out because a stream passed the capture limit (1 MiB each: head and tail are kept). */
  readonly truncated: boolean
  readonly durationMs: number
}

export interface FileOptions {
  /** Permission bits, default 0o644 for files and 0o755 for folders. */
  readonly mode?: number
}

export interface UploadDirOptions {
  /** Patterns as in a .gitignore file, from the folder's own root: `['node_modules', '*.map', '/tmp', '!keep.map']`. Default: none. */
  readonly exclude?: readonly string[]
  /**
   * A folder over there that most of the tree is the same as, for example that of the release before: where rsync is on both sides
   * only what differs travels. Elsewhere, or when there is no such folder, all of it does. Default: none.
   */
  readonly like?: string
}

export interface DownloadOptions extends FileOptions {
  /**
   * What has arrived when a download fails is kept beside the target, and the next download of the same unchanged file continues
   * from there. Default false: nothing is kept. A link that breaks is taken up again within one download in either case.
   */
  readonly resume?: boolean
}

/**
 * One face for a host over SSH, this machine and a recorder. `sh` changes things; `capture` and `test` only read (Capistrano's execute,
 * capture, test); their templates reach sh as written, backslashes too. Success is exit code 0 and nothing else. Every method rejects
 * with a `Problem`: `COMMAND_FAILED`, `COMMAND_TIMEOUT`, `COMMAND_CANCELLED`, `CONNECTION_LOST`, before the command `SUDO_REFUSED`,
 * `LOGIN_SHELL`, `CHANNEL_REFUSED` and `SECRET_MISSING`, and those of connecting (`HOST_UNREACHABLE`, `HOST_KEY_UNKNOWN`,
 * `HOST_KEY_CHANGED`, `LOGIN_REFUSED`).
 */
export interface Shell {
  readonly host: Host
  sh(strings: TemplateStringsArray, ...values: ShellValue[]): Promise<CommandOutput>
  /** Standard output without trailing newlines. */
  capture(strings: TemplateStringsArray, ...values: ShellValue[]): Promise<string>
  /** True for exit code 0, false for 1; any other outcome rejects. */
  test(strings: TemplateStringsArray, ...values: ShellValue[]): Promise<boolean>
  /** One program with its arguments, no shell syntax. */
  run(file: string, args?: readonly (string | number)[], options?: CommandOptions): Promise<CommandOutput>
  /** A POSIX sh script, sent on standard input of `sh -eu -s`; `values` are its positional parameters ($1 …). */
  script(text: string, values?: readonly string[], options?: CommandOptions): Promise<CommandOutput>
  /**
   * Gives a command the terminal of whoever started the run, and waits for its end: ``remote.attach`bin/rails console` ``. What is typed
   * and shown is written down nowhere. Rejects with `TERMINAL_MISSING` where nobody sits at one (`run.terminal` tells before), and
   * with `TERMINAL_SHARED` while another task runs. Of the options it has `cwd`, `env`, `umask` and `user` (sudo then asks there).
   */
  attach(strings: TemplateStringsArray, ...values: ShellValue[]): Promise<void>
  /** The same shell with other defaults: `remote.with({ cwd: release.path }).sh…`. */
  with(options: CommandOptions): Shell

  readFile(path: string): Promise<string>
  /** Appears under its name only when complete: written beside it, then renamed. */
  writeFile(path: string, content: string | Uint8Array, options?: FileOptions): Promise<void>
  exists(path: string): Promise<boolean>
  /** With parents; fine when it is there already. */
  mkdir(path: string, options?: FileOptions): Promise<void>
  /** Files and folders, recursively; fine when absent. Refuses the root, the home and relative paths that climb. */
  remove(path: string): Promise<void>
  /** Atomic: an existing link is replaced in one step, and the result is read back. A folder in its place is an error. */
  symlink(target: string, path: string): Promise<void>
  /** Never into a folder of that name. */
  rename(from: string, to: string): Promise<void>
  /** From this machine to the shell's. Size and sha256 are checked before the file gets its final name. */
  uploadFile(from: string, to: string, options?: FileOptions): Promise<void>
  /**
   * A whole tree with modes, dotfiles, empty folders and links, checked like a file. The target must be absent or an empty folder:
   * it is put there by rename. Special files (sockets, FIFOs, devices) are an error.
   */
  uploadDir(from: string, to: string, options?: UploadDirOptions): Promise<void>
  /** From the shell's machine to this one, checked like an upload. Returns the bytes of the file. */
  downloadFile(from: string, to: string, options?: DownloadOptions): Promise<number>
  /**
   * A whole tree, as uploadDir; set-user-id bits are left out. A name or a link that leads out of the tree is an error and nothing
   * is kept. Returns the bytes received.
   */
  downloadDir(from: string, to: string): Promise<number>
  /**
   * Opens a door on this machine that leads through the host to a server that it reaches (`ssh -L`); the host is connected to only
   * when somebody comes in. It stays open until it is closed, at the latest until the run ends.
   */
  forward(to: ForwardTarget, options?: ForwardOptions): Promise<Forwarding>
}

/** What a shell tells of its commands; the run adds the node and the time. */
export type CommandEvent =
  /** A dry run would have done this: a command, or what becomes of a file with its size. */
  | { readonly type: 'command.skipped'; readonly host: string; readonly text: string }
  | {
      readonly type: 'command.started'
      readonly command: number
      readonly host: string
      readonly text: string
      readonly reads: boolean
    }
  | {
      readonly type: 'command.output'
      readonly command: number
      readonly host: string
      readonly stream: 'stdout' | 'stderr'
      readonly line: string
    }
  | {
      readonly type: 'command.ended'
      readonly command: number
      readonly host: string
      readonly exitCode: number | null
      readonly signal: string | null
      readonly durationMs: number
    }
  | {
      readonly type: 'transfer'
      readonly host: string
      readonly path: string
      readonly bytes: number
      readonly total?: number
    }

/** Whatever one node does with shells: when to stop, and where its events go. */
export interface ShellScope {
  readonly signal: AbortSignal
  emit(event: CommandEvent): void
  /** Absent where there is no terminal. */
  readonly lendTerminal?: LendTerminal
}

/** Opens shells and owns their connections. One provider serves one run; connections are shared by its nodes. */
export interface ShellProvider {
  /** Connects on first use, so that a plan touches no host that it does not need. */
  remote(host: Host, scope: ShellScope): Shell
  /** This machine, in the folder of deploy.config.ts. */
  local(scope: ShellScope): Shell
  close(): Promise<void>
}
