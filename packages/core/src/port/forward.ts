/** A server as a host reaches it: by TCP, or by the absolute path of its unix socket on that host. */
export type ForwardTarget = { readonly host: string; readonly port: number } | { readonly path: string }

export interface ForwardOptions {
  /**
   * 'socket' (default): a unix socket in a folder that nobody else may enter. 'port': a free port of 127.0.0.1, for what only speaks
   * TCP; on Linux the connections of other users of this machine are turned away, elsewhere they are not.
   */
  readonly as?: 'socket' | 'port'
  /** The file name of the socket. Default: `socket`. */
  readonly name?: string
}

/** Why a connection through a {@link Forwarding} did not come about, or ended before its time. */
export interface ForwardFailure {
  /** 'refused': the host could not, or was not allowed to, connect. 'lost': the link to the host broke, or could not be made. */
  readonly kind: 'refused' | 'lost'
  readonly reason: string
}

/** A door on this machine that leads to a server which a host reaches. */
export interface Forwarding {
  /** Of the socket, with `as: 'socket'`. */
  readonly path: string
  /** On 127.0.0.1, with `as: 'port'`; else 0. */
  readonly port: number
  /**
   * Connects to the host now, and not only when somebody comes in, who would be told nothing of what is wrong with it.
   * @throws Problem when there is no way to the host
   */
  connect(signal: AbortSignal): Promise<void>
  /** Of all connections so far, oldest first: what is connected to it sees only that its connection has ended. */
  failures(): readonly ForwardFailure[]
  /** Ends it and all connections through it. Never rejects. Whatever was not closed is when the run ends. */
  close(): Promise<void>
}
