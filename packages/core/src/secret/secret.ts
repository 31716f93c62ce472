export const BRAND = Symbol.for('deployfile.secret')

/** A value that prints as `***` everywhere and is read only when it is used. */
export interface Secret {
  readonly [BRAND]: true
  /** What it is called in messages and in a journal: `env X`. */
  readonly name: string
  toString(): string
  toJSON(): { readonly $secret: string }
}

export function isSecret(value: unknown): value is Secret {
  return typeof value === 'object' && value !== null && BRAND in value
}
