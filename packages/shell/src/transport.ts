import type { Duplex, Readable, Writable } from 'node:stream'
import type { ForwardTarget, Host } from '@deployfile/core'
import type { SFTPWrapper } from 'ssh2'

/** A program in POSIX sh, as it is started on the other side: `sh -c <sh> sh <args…>`. */
export interface Start {
  readonly sh: string
  readonly args: readonly string[]
  /** 'none': an empty standard input. 'pipe': what is written to `Running.stdin`, until it is ended. */
  readonly stdin: 'none' | 'pipe'
  /** On a terminal of its own; standard error then comes with standard output. */
  readonly pty: boolean
}

/** How a command ended. Both null: nobody knows, the link broke first. */
export interface Ending {
  readonly exitCode: number | null
  readonly signal: string | null
  /** Set when the link broke before all output had arrived, with what is known of it. */
  readonly lost?: string
}

/** A command that was started. Its streams must be read to their ends, or `ended` never settles. */
export interface Running {
  readonly stdin: Writable | undefined
  readonly stdout: Readable
  readonly stderr: Readable
  /** Its exit status is known; children in the background may still hold its output open. */
  readonly exited: Promise<Ending>
  /** All is over: status known (or lost) and both streams at their ends. */
  readonly ended: Promise<Ending>
  /** To the whole process group. Best effort: nothing tells whether it arrived. */
  signal(name: 'TERM' | 'KILL'): void
  /** Nothing more comes on its standard input, which a host may have left open for signals' sake. */
  endInput(): void
  /** Stops listening. What still runs is left to itself. */
  close(): void
}

/** Files without a shell. */
export interface SftpSession {
  /** One request, or one of ssh2's bundles of them; rejects also when the link breaks or the run is stopped. */
  call<T>(
    act: (sftp: SFTPWrapper, done: (error: Error | null | undefined, result?: T) => void) => void,
  ): Promise<T>
  close(): void
}

/** All that differs between a host over SSH and this machine. */
export interface Transport {
  readonly host: Host
  /**
   * Rejects with a Problem when nothing was started; an abort of `signal` counts only until then.
   * @param compose is given the bytes that an argument may have, which may differ from one try to the next
   * @param urgent goes past the line of those who wait for a free channel
   */
  start(compose: (room: number) => Start, signal: AbortSignal, urgent?: boolean): Promise<Running>
  /** Connects to the host where it is not yet; rejects with a Problem when there is no link to it. */
  connect(signal: AbortSignal): Promise<void>
  /**
   * A connection from the host to a server. `lost` is told when the link to the host breaks, even after the connection has closed.
   * Rejects with a Problem when there is no link to the host, with the host's own words when it could not connect.
   */
  dial(to: ForwardTarget, signal: AbortSignal, lost: (reason: string) => void): Promise<Duplex>
  /**
   * Runs a program on the terminal of this process, which nobody else uses meanwhile, and resolves with how it ended. An abort of
   * `signal` gives up on it; what still runs is left to itself.
   */
  attach(start: Pick<Start, 'sh' | 'args'>, signal: AbortSignal): Promise<Ending>
  /** Where there is such a thing: for logins that may transfer files and nothing else. */
  readonly sftp?: (signal: AbortSignal) => Promise<SftpSession>
  /** Which login shell a command has found itself in. */
  learn?(shell: string): void
}
