import type { Layout, OnHost } from '../deploy/layout.ts'

/** What is deployed, settled once, before anything is made: the same on every host. */
export interface Settled {
  /** The full hash of a commit; of what is no commit, the sha256 of what is packed, unless the options name a revision. */
  readonly revision: string
  /** The branch or tag; of what is no commit, where it came from. */
  readonly branch: string
  /** Who may sign, as ssh-keygen's allowed_signers. */
  readonly signers?: string
  /** A tar file on this machine that every host gets. */
  readonly packed?: Packed
}

export interface Packed {
  /** Absolute. */
  readonly file: string
  readonly sha256: string
}

/** Part of the script that builds a release; `step`, `refuse`, `$to`, `$own`, `$repo`, `$run`, `$stage` are there. */
export interface SourceScript {
  /** Assigned to variables of these names. */
  readonly values: Readonly<Record<string, string>>
  /** Before the release's folder is made: what takes long, and what may be refused. */
  readonly prepare: string
  /** Fills `$stage`, and writes REVISION_TIME there. */
  readonly unpack: string
}

/** Where releases come from. */
export interface Source {
  readonly name: string
  /** Programs that a host must have, beside tar. */
  readonly programs: readonly string[]
  /** Its address and branch, where it is git. */
  readonly git?: {
    readonly repository: string
    readonly branch: string
    /** The only folder of it that is deployed; '' for all. */
    readonly path: string
  }
  /**
   * Can the host get at what it fetches itself? Asked of each host that may not have done so before, so that none is found out when
   * others have built. `wanted`: is what would be deployed there as well? Reads only.
   * @throws Problem (check)
   */
  reach?(context: Pick<OnHost, 'remote'>, wanted: boolean): Promise<void>
  /** Changes nothing on a host. `wanted` is a branch or a hash from the command line. */
  settle(context: OnHost, wanted: string | undefined): Promise<Settled>
  /** Gives a host what it cannot get by itself, into the folder `.deployfile/source.<run>`, which is removed afterwards. */
  bring?(context: OnHost, settled: Settled, folder: string): Promise<void>
  script(settled: Settled, folder: string): SourceScript
  /** What filling the release at `path` would do, as commands. */
  preview(context: OnHost, settled: Settled, layout: Layout, path: string): Promise<void>
  /** Removes what `settle` has made here. */
  clear?(context: OnHost): Promise<void>
}

/** Where a run keeps on a host what it was brought. */
export function broughtTo({ own }: Pick<Layout, 'own'>, run: string): string {
  return `${own}/source.${run}`
}
