import { expect, it } from 'vitest'
import type { RunEvent } from '@deployfile/core'
import { makeSite } from './site.ts'

/** What each command of a run is for, by host: each is a round trip, which every deploy pays. */
function counted() {
  const seen: Record<string, string[]> = { web1: [], db1: [] }
  return {
    seen,
    onEvent: (event: RunEvent): void => {
      if (event.type !== 'node.command' || event.event.type !== 'command.started') return
      const host = /@production\/(\w+)$/.exec(event.node)?.[1]
      if (host !== undefined) seen[host]?.push(event.node.replace(/@.*/, ''))
    },
  }
}

// One more needs a reason: at a host far away it is a tenth of a second.
it('a warm deploy takes six round trips on a host, and four more where the lock is', async () => {
  await using site = makeSite()
  const options = { keepReleases: 1 }
  expect((await site.run('deploy', { options })).status).toBe('done')
  site.git.commit({ 'app.txt': 'two' })
  const { seen, onEvent } = counted()
  expect((await site.run('deploy', { options, onEvent })).status).toBe('done')

  const everywhere = ['check', 'release', 'publish', 'restart', 'cleanup', 'log_revision']
  const first = ['lock:hold', 'revision', 'lock:before_publish', 'lock:hold']
  const named = (words: readonly string[]): readonly string[] => words.map((word) => `deploy:${word}`).sort()
  expect(seen['db1']?.toSorted()).toEqual(named(everywhere))
  expect(seen['web1']?.toSorted()).toEqual(named([...everywhere, ...first]))
  for (const host of [site.web1, site.db1]) expect(host.list('releases')).toEqual([host.live()])
})
