import { loadCatalog, type Catalog, type Config } from '@deployfile/core'

export interface Parts {
  /** In the place of {@link STAGES}. */
  readonly stages?: object
  readonly defaultStage?: string
  readonly tasks?: readonly unknown[]
  readonly before?: Record<string, readonly unknown[]>
  readonly after?: Record<string, readonly unknown[]>
  readonly use?: readonly unknown[]
  readonly grace?: string
  readonly pools?: Readonly<Record<string, unknown>>
  readonly onFailure?: readonly unknown[]
}

export const STAGES = {
  dev: { hosts: { localhost: { transport: 'local', roles: ['app', 'web', 'db'] } } },
  production: {
    protected: true,
    hosts: {
      web1: { roles: ['app', 'web'] },
      web2: { roles: ['app', 'web'] },
      db1: { roles: ['app', 'db'] },
    },
  },
}

/** A checked config with two stages around some tasks. */
export function catalogOf(parts: Parts): Catalog {
  const source = { stages: STAGES, defaultStage: 'dev', ...parts }
  return loadCatalog({ '~config': 1, location: undefined, source } satisfies Config)
}
