import type { DoctorContext, Finding } from '@deployfile/core'
import { examineSite } from '@deployfile/postgres'
import type { Settings } from './settings.ts'
import { siteOf } from './site.ts'

/** What `deployfile doctor` looks at on each stage that has a database: whether a killed restore has left it closed. */
export function examine(settings: Settings): (context: DoctorContext) => Promise<readonly Finding[]> {
  return async ({ stage, remote, local, root, signal }) => {
    if (!settings.databases.has(stage.name)) return []
    const silent = { log: () => undefined, progress: () => undefined }
    const site = await siteOf(settings, {
      ...{ stage, remote, local, signal, ...silent, host: remote.host, run: { root } },
    })
    return [await examineSite(site)]
  }
}
