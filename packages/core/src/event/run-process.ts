/**
 * Which process carries out a run, so that another one can tell whether it still lives. Whoever starts the run fills this in; a run
 * only writes it down.
 */
export interface RunProcess {
  readonly pid: number
  /** The name of the machine. */
  readonly host: string
  /** Of this start of the machine; absent where the system does not tell. */
  readonly boot?: string
  /** The namespace in which `pid` counts (containers have their own); absent where there is none. */
  readonly namespace?: string
  /** When the process was started, in the system's own unit since `boot`: a pid may be given again. */
  readonly startTicks?: string
}
