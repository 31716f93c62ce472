/** What the numbers of `progress` are. */
export interface ProgressFacts {
  /** Which part of the work it is, where there are several: `dump`. */
  readonly what?: string
  /** 'bytes', which are shown with their rate and the time that is left; else a plural: 'files'. Default: none. */
  readonly unit?: string
  /** `total` is a guess, and is shown as one. Default false. */
  readonly estimated?: boolean
  /** What else there is to say of it just now. */
  readonly note?: string
}
