import { readFileSync, watch, writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { optional, task } from '@deployfile/core'
import { layoutOf } from '../src/deploy/layout.ts'
import { confirmLock, keepAlive, releaseLock } from '../src/deploy/lock/keep.ts'
import { takeLock } from '../src/deploy/lock/take.ts'
import { makeSite, type Site } from './site.ts'

/** Resolves when the heartbeat was written anew; rejects after 10 s. */
async function nextBeat(site: Site): Promise<void> {
  const folder = site.web1.at('.deployfile/lock')
  writeFileSync(`${folder}/heartbeat`, 'old\n')
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('no sign of life')), 10_000)
    const watcher = watch(folder, () => {
      if (!/^\d+$/m.test(readFileSync(`${folder}/heartbeat`, 'utf8'))) return
      clearTimeout(late)
      watcher.close()
      resolve()
    })
  })
}

it('a run says that it lives while it works, and while it takes back after Ctrl-C; not after its end', async () => {
  await using site = makeSite()
  const layout = layoutOf(site.web1.deployTo)
  const seen: string[] = []
  const hold = task('hold', {
    on: 'web',
    timeout: '500h',
    async run(context) {
      await takeLock(context, layout)
      keepAlive(context, layout, 50)
    },
    finally: (context) => releaseLock(context, layout.deployTo),
  })
  const work = task('work', {
    needs: { hold: optional(hold) },
    async run({ signal }) {
      await nextBeat(site)
      seen.push('working')
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      throw new Error('stopped')
    },
    async undo() {
      await nextBeat(site)
      seen.push('taking back')
    },
  })
  const all = task('all', { needs: { hold, work }, run: () => undefined })
  const ran = await site.run('all', {
    tasks: [all],
    onEvent(event, stop) {
      if (event.type === 'node.started' && event.phase === 'run' && event.node === 'work') {
        const stopWhenSeen = (): void => {
          if (seen.length > 0) stop()
          else setTimeout(stopWhenSeen, 10)
        }
        stopWhenSeen()
      }
    },
  })
  expect(ran.status).toBe('cancelled')
  expect(seen).toEqual(['working', 'taking back'])
  expect(site.web1.list('')).toEqual(['shared'])
})

it('of many who take a lock at once, or take one over, one wins', async () => {
  await using site = makeSite()
  const layout = layoutOf(site.web1.deployTo)
  const won: string[] = []
  const contend = (name: string): Promise<unknown> =>
    site.run(name, {
      tasks: [
        task(name, {
          on: 'web',
          async run(context) {
            await takeLock(context, layout)
            won.push(context.run.id)
          },
        }),
      ],
    })
  const many = Array.from({ length: 12 }, (_, at) => `contend${String(at)}`)
  await Promise.all(many.map(contend))
  expect(won).toHaveLength(1)
  expect(site.web1.list('.deployfile/lock')).toEqual(['heartbeat', 'made', 'owner.1'])
  expect(site.web1.read('.deployfile/lock/owner.1')).toContain(won[0])

  // As if that one had not been heard of for long.
  const text = site.web1.read('.deployfile/lock/owner.1')
  const owner = JSON.parse(text) as { process: object }
  const dead = { ...owner, process: { ...owner.process, host: 'elsewhere' }, since: 1 }
  site.web1.write('.deployfile/lock/owner.1', JSON.stringify(dead))
  site.web1.write('.deployfile/lock/heartbeat', '1\n')
  won.splice(0)
  await Promise.all(many.map(contend))
  expect(won).toHaveLength(1)
  expect(site.web1.list('.deployfile')).toEqual(['lock'])
  expect(site.web1.read('.deployfile/lock/owner.2')).toContain(won[0])
  expect(site.web1.has('.deployfile/lock/owner.3')).toBe(false)
})

it('a run that says several times at once that it lives, says so each time', async () => {
  await using site = makeSite()
  const layout = layoutOf(site.web1.deployTo)
  const ran = await site.run('all', {
    tasks: [
      task('all', {
        on: 'web',
        async run(context) {
          await takeLock(context, layout)
          await Promise.all(Array.from({ length: 20 }, () => confirmLock(context, layout)))
        },
        finally: (context) => releaseLock(context, layout.deployTo),
      }),
    ],
  })
  expect(ran.failures).toEqual([])
  expect(ran.status).toBe('done')
})
