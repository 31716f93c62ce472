import { Problem } from '@deployfile/core'
import { surveyHost } from './host-state.ts'
import type { OnHost } from './layout.ts'

/**
 * The name of the release that `current` leads to, however the link is written.
 * @throws Problem `NO_RELEASE` (check)
 */
export async function liveRelease({ remote, host }: OnHost, deployTo: string): Promise<string> {
  const { live } = await surveyHost(remote, deployTo)
  if (live !== undefined) return live
  throw new Problem('check', 'NO_RELEASE', `${host.name}: ${deployTo}/current leads to no release`, {
    host: host.name,
    hint: 'Deploy one first.',
  })
}
