/** A task by its name, with the input that `.with` gave it where it was asked for as a value. */
export interface RequestedTask {
  readonly name: string
  readonly input?: unknown
}

/** What a plan was made from: the same again makes the same plan, unless the config has changed. */
export interface PlanSource {
  readonly stage: string
  readonly tasks: readonly RequestedTask[]
  readonly inputs: Readonly<Record<string, string>>
  readonly hosts?: readonly string[]
  readonly roles?: readonly string[]
  readonly skip?: readonly string[]
}
