/**
 * The part of Standard Schema (standardschema.dev, version 1) that an `input` needs. Constraining by this and not by zod's own
 * types halves what a config costs the compiler; zod 4 schemas satisfy it as they are.
 */
export interface Schema<I = any, O = any> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => any
    readonly types?: { readonly input: I; readonly output: O } | undefined
  }
}

export type SchemaInput<S> = S extends Schema<infer I> ? I : {}
export type SchemaOutput<S> = S extends Schema<any, infer O> ? O : {}
