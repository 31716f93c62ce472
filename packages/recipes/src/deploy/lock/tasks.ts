import { optional, type HostSelector, type Needs, type Task } from '@deployfile/core'
import * as z from 'zod'
import { taskAs } from '../as-configured.ts'
import { locate, type Layout, type OnHost } from '../layout.ts'
import { stageOptions, type Planning, type WhenReady } from '../stage-options.ts'
import type { DeployOptions } from '../options.ts'
import type { DeployTasks } from '../tasks.ts'
import type { NoInput } from '../before-migrate.ts'
import { typed } from '../typed.ts'
import { describeLock } from './describe.ts'
import { confirmLock, keepAlive, releaseLock, removeLock } from './keep.ts'
import { infoOf, type HeldLock, type LockInfo } from './info.ts'
import { lookAtLock } from './look.ts'
import type { LockState } from './owner.ts'
import { takeLock, whyDead } from './take.ts'

export type LockTasks = Pick<DeployTasks, 'lockHold' | 'lock' | 'unlock' | 'lockStatus'>

// Longer than anybody waits for a lock. A timeout is there at all for the heartbeat's sake: see `keepAlive`.
const LONG = '500h'

/** The lock of a deployment: one folder on one host, whatever hosts a run is narrowed to. */
export function lockTasks(
  options: DeployOptions,
  on: HostSelector,
  when: WhenReady,
  { starting }: Pick<DeployTasks, 'starting'>,
): LockTasks {
  const task = taskAs(options)
  const place = { role: on, pick: 'primary' } as const
  const settle = ({ remote, stage, host }: OnHost): Promise<Layout> =>
    locate(remote, stageOptions(options, stage, host).deployTo)
  const lockHold = task('deploy:lock:hold', {
    desc: 'Hold the deploy lock until the run is over',
    on: place,
    // It changes nothing that is served.
    effect: 'read',
    timeout: LONG,
    needs: { starting: optional(starting) },
    when: whenLocked(options),
    async run(context): Promise<HeldLock> {
      const { stage, host } = context
      const dead = await takeLock(context, stageOptions(options, stage, host))
      keepAlive(context, await settle(context))
      return { host: context.host.name, ...(dead && { from: dead.owner.run }) }
    },
    async preview(context): Promise<HeldLock> {
      const state = await lookAtLock(context, (await settle(context)).deployTo)
      const isDead = state !== undefined && whyDead(state) !== undefined
      if (state && !isDead) context.log(`now it is held by ${describeLock(state)}`)
      return { host: context.host.name, ...(isDead && { from: state.owner.run }) }
    },
    finally: (context) => releaseLock(context, stageOptions(options, context.stage, context.host).deployTo),
  })
  const lock = task('deploy:lock', {
    desc: "Lock deploys until 'deploy:unlock'",
    on: place,
    when,
    input: z.object({ message: z.string().max(500).optional().describe('why, for whoever wants to deploy') }),
    async run(context): Promise<LockInfo> {
      const layout = await settle(context)
      await takeLock(context, layout, { manual: { message: context.input.message } })
      const state = await lookAtLock(context, layout.deployTo)
      context.log(`deploys are locked; to go on: ${typed(context, 'deploy:unlock')}`)
      return infoOf(context.host.name, state)
    },
    async preview(context): Promise<LockInfo> {
      const state = await lookAtLock(context, (await settle(context)).deployTo)
      context.log(state ? `it is held by ${describeLock(state)}` : 'would lock deploys')
      return infoOf(context.host.name, state)
    },
  })
  const unlock = task('deploy:unlock', {
    desc: 'Remove the deploy lock, whoever holds it',
    on: place,
    // It asks by itself, and says whose it is. A protected stage would ask once more for the same name.
    effect: 'read',
    when,
    async run(context): Promise<LockInfo> {
      const { host, stage, log, skip, confirm } = context
      const layout = await settle(context)
      const state = await lookAtLock(context, layout.deployTo)
      if (!state) return skip('there is no lock', infoOf(host.name, undefined))
      await confirm({ message: question(state), answer: stage.name })
      const other = await removeLock(context, layout, state.text, state.turn)
      log(
        other
          ? `meanwhile it is the lock of ${describeLock(other)}`
          : `removed the lock of ${describeLock(state)}`,
      )
      return infoOf(host.name, other)
    },
    async preview(context): Promise<LockInfo> {
      const state = await lookAtLock(context, (await settle(context)).deployTo)
      context.log(state ? `would remove the lock of ${describeLock(state)}` : 'there is no lock')
      return infoOf(context.host.name, state)
    },
  })
  const lockStatus = task('deploy:lock:status', {
    desc: 'Show who holds the deploy lock',
    on: place,
    effect: 'read',
    when,
    preview: true,
    async run(context): Promise<LockInfo> {
      const { deployTo } = await settle(context)
      const state = await lookAtLock(context, deployTo)
      const dead = state && whyDead(state)
      const note = dead === undefined ? '' : `; ${dead}, so the next deploy takes it over`
      context.log(state ? `locked by ${describeLock(state)}${note}` : 'there is no lock')
      return infoOf(context.host.name, state)
    },
  })
  return { lockHold, lock, unlock, lockStatus }
}

/**
 * A last look at the lock before what cannot be taken back, and before what is served is changed: its owner may have been taken for
 * dead meanwhile (a laptop that slept), or the lock removed.
 */
export function lockFence<const Name extends string>(
  name: Name,
  options: DeployOptions,
  on: HostSelector,
  needs: Needs,
): Task<Name, NoInput, HeldLock | undefined, 'primary'> {
  const task = taskAs(options)
  return task(name, {
    on: { role: on, pick: 'primary' },
    effect: 'read',
    timeout: LONG,
    needs,
    when: whenLocked(options),
    async run(context): Promise<HeldLock> {
      const { stage, host, remote } = context
      await confirmLock(context, await locate(remote, stageOptions(options, stage, host).deployTo))
      return { host: host.name }
    },
    preview: ({ host }): HeldLock => ({ host: host.name }),
  })
}

function whenLocked(options: DeployOptions): (context: Planning) => true | string {
  return ({ stage, host }) => stageOptions(options, stage, host).lock || `deploy() has lock: false`
}

function question({ owner, ...state }: LockState): string {
  const whose = `The deploy lock is held by ${describeLock({ owner, ...state })}.`
  if (owner.process === undefined) return `${whose} Without it deploys may start again.`
  const dead = whyDead({ owner, ...state })
  if (dead !== undefined) return `${whose} That run is dead: ${dead}.`
  return `${whose} That run may still be alive: it will stop before it migrates or publishes, and take back what it has done.`
}
