import { Problem, type HostSelector } from '@deployfile/core'
import { taskAs } from './as-configured.ts'
import { locate, type OnHost } from './layout.ts'
import { stageOptions, type Planning, type StageOptions, type WhenReady } from './stage-options.ts'
import type { DeployOptions } from './options.ts'
import type { DeployTasks } from './tasks.ts'
import { typed } from './typed.ts'

export type SharedTasks = Pick<DeployTasks, 'sharedPull' | 'sharedPushConfirm' | 'sharedPush'>

/** What people have uploaded, beside the database: from a stage to this machine, and from here to a stage that is not protected. */
export function sharedTasks(options: DeployOptions, on: HostSelector, when: WhenReady): SharedTasks {
  const task = taskAs(options)
  const sharedPull: DeployTasks['sharedPull'] = task('shared:pull', {
    desc: 'Copy uploads from the stage to this machine',
    on: { role: on, pick: 'primary' },
    effect: 'read',
    when: (context: Planning) => {
      checkUploads(options, context)
      return when(context)
    },
    preview: ({ stage, host, log }) => {
      for (const dir of stageOptions(options, stage, host).uploads) log(`would replace ${dir} here`)
    },
    async run(context) {
      const { stage, host, remote, local, run, log } = context
      const { deployTo, uploads } = stageOptions(options, stage, host)
      const { shared } = await locate(remote, deployTo)
      for (const dir of uploads) {
        const [fresh, before] = [`${dir}.pulled.${run.id}`, `${dir}.before.${run.id}`]
        const bytes = await remote.downloadDir(`${shared}/${dir}`, fresh)
        // What was here goes only when the new one has its name.
        if (await local.exists(dir)) await local.rename(dir, before)
        await local.rename(fresh, dir)
        await local.remove(before)
        log(`${dir}: ${String(Math.ceil(bytes / 1024))} KB from ${host.name}`)
      }
    },
    async undo(context) {
      const { stage, host, local, run } = context
      for (const dir of stageOptions(options, stage, host).uploads) {
        await local.remove(`${dir}.pulled.${run.id}`)
        const before = `${dir}.before.${run.id}`
        if (!(await local.exists(before))) continue
        await local.remove(dir)
        await local.rename(before, dir)
      }
    },
  })
  const whenPushed = (context: Planning): true => {
    checkUploads(options, context)
    refuseProtected(context)
    return when(context)
  }
  const sharedPushConfirm = task('shared:push:confirm', {
    on: { role: on, pick: 'primary' },
    effect: 'read',
    when: whenPushed,
    preview: true,
    async run({ stage, host, hosts, confirm }) {
      if (hosts.every(({ transport }) => transport === 'local')) return
      const { uploads } = stageOptions(options, stage, host)
      const message = `${uploads.join(', ')} of ${stage.name} will be replaced by what is on this machine.`
      await confirm({ message, answer: stage.name })
    },
  })
  const sharedPush: DeployTasks['sharedPush'] = task('shared:push', {
    desc: 'Copy uploads from this machine to the stage, never to a protected one',
    on,
    effect: 'destroy',
    needs: { confirmed: sharedPushConfirm },
    when: whenPushed,
    preview: ({ stage, host, log }) => {
      for (const dir of stageOptions(options, stage, host).uploads) log(`would replace shared/${dir}`)
    },
    async run(context) {
      const { stage, host, remote, log } = context
      const settled = stageOptions(options, stage, host)
      for (const dir of settled.uploads) {
        const { fresh, target, before } = await placesOf(context, settled, dir)
        await remote.mkdir(target.slice(0, target.lastIndexOf('/')))
        await remote.uploadDir(dir, fresh)
        if (await remote.exists(target)) await remote.rename(target, before)
        await remote.rename(fresh, target)
        await remote.remove(before)
        log(`${dir} is in ${target}`)
      }
    },
    async undo(context) {
      const { stage, host, remote } = context
      const settled = stageOptions(options, stage, host)
      for (const dir of settled.uploads) {
        const { fresh, target, before } = await placesOf(context, settled, dir)
        await remote.remove(fresh)
        if (!(await remote.exists(before))) continue
        await remote.remove(target)
        await remote.rename(before, target)
      }
    },
  })
  return { sharedPull, sharedPushConfirm, sharedPush }
}

async function placesOf(
  { remote, run }: OnHost,
  { deployTo }: StageOptions,
  dir: string,
): Promise<{ readonly fresh: string; readonly target: string; readonly before: string }> {
  const { shared } = await locate(remote, deployTo)
  const target = `${shared}/${dir}`
  return { fresh: `${target}.pushed.${run.id}`, target, before: `${target}.before.${run.id}` }
}

function checkUploads(options: DeployOptions, { stage, host }: Planning): void {
  const { uploads, linkedDirs } = stageOptions(options, stage, host)
  const stray = uploads.find((dir) => !linkedDirs.includes(dir))
  if (uploads.length > 0 && stray === undefined) return
  throw new Problem(
    'usage',
    'OPTION_INVALID',
    stray === undefined
      ? `deploy() does not say which folders hold uploads`
      : `the upload folder '${stray}' is no linked folder`,
    { key: 'uploads', hint: `Give some of linkedDirs: uploads: ['public/system'].` },
  )
}

function refuseProtected({ stage, task }: Planning): void {
  if (!stage.protected) return
  throw new Problem(
    'usage',
    'STAGE_PROTECTED',
    `uploads are never pushed to '${stage.name}', which is protected`,
    { hint: `To bring those of ${stage.name} here: ${typed({ stage, task }, 'shared:pull')}` },
  )
}
