import type { Secret } from '../secret/secret.ts'

/** Own properties of hosts. Augment it to type them: `declare module 'deployfile' { interface HostProps { region?: string } }`. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- empty so that projects can augment it
export interface HostProps {}

/** Whether a host whose key is unknown may be connected to. */
export type HostKeys = 'strict' | 'accept-new'

export interface SudoSpec {
  /** Of the login. Given to sudo on standard input, never on its command line. */
  readonly password?: Secret
}

/** A host as a config writes it; its key in `hosts` is its name. */
export interface HostSpec {
  readonly roles: readonly string[]
  /** `user@host:port`, `[::1]:22`, or an alias of ssh_config. Default: the host's name. */
  readonly address?: string
  readonly user?: string
  readonly port?: number
  /** 'ssh' (default) or 'local': this machine, no connection. */
  readonly transport?: 'ssh' | 'local'
  /** The primary of its roles; else the first listed is. */
  readonly primary?: boolean
  /** Pins the host key by its fingerprint (`SHA256:…`), or by those of all its keys, instead of known_hosts; for CI. */
  readonly hostKey?: string | readonly string[]
  /**
   * What to do with a host key that nothing is known of: 'strict' ends the run, 'accept-new' adds it to known_hosts and goes on.
   * Changed and revoked keys end the run in any case. Default: the stage's, else ssh_config's StrictHostKeyChecking where that is
   * accept-new, else 'strict'.
   */
  readonly hostKeys?: HostKeys
  /** Folders to look for programs in before the login's own PATH: `['~/.rbenv/shims', '/opt/node/bin']`, or one such string. */
  readonly path?: string | readonly string[]
  /** Run commands by a login shell, so that its profile sets PATH and the like. Default false. */
  readonly login?: boolean
  /** How this login may become another user: true by `sudo -n`, else with the password. Default: `sudo -n`. */
  readonly sudo?: true | SudoSpec
  /** transport 'local' only: where relative paths start. Default: the folder of deploy.config.ts. */
  readonly root?: string
  readonly props?: HostProps
}

/** A host of a stage, as tasks see it. */
export interface Host {
  readonly name: string
  readonly stage: string
  readonly roles: readonly string[]
  readonly transport: 'ssh' | 'local'
  readonly address: string
  readonly user?: string
  readonly port?: number
  readonly primary: boolean
  /** Fingerprints (`SHA256:…`); any of them will do. */
  readonly hostKey?: readonly string[]
  readonly hostKeys?: HostKeys
  /** Folders for the front of PATH, in this order. */
  readonly path?: readonly string[]
  readonly login?: boolean
  readonly sudo?: SudoSpec
  readonly root?: string
  readonly props: HostProps
}

export interface Stage {
  readonly name: string
  /** Protected stages ask before anything is written, and their database is never restored onto. */
  readonly protected: boolean
}

/** The host that a config's entry means; its defaults filled in. */
export function hostFrom(
  stage: string,
  name: string,
  spec: { readonly [K in keyof HostSpec]: HostSpec[K] | undefined },
  hostKeys?: HostKeys,
): Host {
  const { hostKey, path, sudo, roles = [], user, port, login, root } = spec
  const { address = name, transport = 'ssh', primary = false, props = {} } = spec
  const keys = spec.hostKeys ?? hostKeys
  return Object.freeze({
    ...{ name, stage, roles, address, transport, primary, props },
    ...(user !== undefined && { user }),
    ...(port !== undefined && { port }),
    ...(hostKey !== undefined && { hostKey: [hostKey].flat() }),
    ...(keys !== undefined && { hostKeys: keys }),
    ...(path !== undefined && { path: [path].flat().flatMap((folders) => folders.split(':')) }),
    ...(login !== undefined && { login }),
    ...(sudo !== undefined && { sudo: sudo === true ? {} : sudo }),
    ...(root !== undefined && { root }),
  })
}
