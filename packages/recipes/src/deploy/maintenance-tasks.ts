import { Problem, type HostSelector } from '@deployfile/core'
import { taskAs } from './as-configured.ts'
import * as z from 'zod'
import { locate, type OnHost } from './layout.ts'
import { stageOptions, type Planning, type StageOptions, type WhenReady } from './stage-options.ts'
import type { DeployOptions } from './options.ts'
import type { DeployTasks } from './tasks.ts'
import { typed } from './typed.ts'

export type MaintenanceTasks = Pick<DeployTasks, 'maintenanceOn' | 'maintenanceOff'>

/** A page in `shared` that the web server shows instead of the application while it is there. */
export function maintenanceTasks(
  options: DeployOptions,
  on: HostSelector,
  when: WhenReady,
): MaintenanceTasks {
  const task = taskAs(options)
  const whenSeen = (context: Planning): true => {
    checkPlace(options, context)
    return when(context)
  }
  const maintenanceOn: DeployTasks['maintenanceOn'] = task('deploy:maintenance:on', {
    desc: 'Show a maintenance page instead of the application',
    on,
    input: z.object({ message: z.string().max(500).optional().describe('what the page says') }),
    when: whenSeen,
    preview: true,
    async run(context) {
      const { stage, host, remote, input, log } = context
      const settled = stageOptions(options, stage, host)
      const path = await pathOf(context, settled)
      await remote.mkdir(path.slice(0, path.lastIndexOf('/')))
      await remote.writeFile(path, await readPage(context, settled, input.message))
      log(`${path} is shown until: ${typed(context, 'deploy:maintenance:off')}`)
    },
    async undo(context) {
      await context.remote.remove(await pathOf(context, stageOptions(options, context.stage, context.host)))
    },
  })
  const maintenanceOff: DeployTasks['maintenanceOff'] = task('deploy:maintenance:off', {
    desc: 'Show the application again',
    on,
    when: whenSeen,
    preview: true,
    async run(context) {
      await context.remote.remove(await pathOf(context, stageOptions(options, context.stage, context.host)))
    },
  })
  return { maintenanceOn, maintenanceOff }
}

async function pathOf({ remote }: OnHost, { deployTo, maintenance }: StageOptions): Promise<string> {
  const { shared } = await locate(remote, deployTo)
  return `${shared}/${maintenance.path}`
}

function checkPlace(options: DeployOptions, { stage, host }: Planning): void {
  const { linkedDirs, maintenance } = stageOptions(options, stage, host)
  if (linkedDirs.some((dir) => maintenance.path.startsWith(`${dir}/`))) return
  throw new Problem(
    'usage',
    'OPTION_INVALID',
    `the maintenance page would be shared/${maintenance.path}, which is in no linked folder, so no web server would find it in current`,
    {
      key: 'maintenance',
      hint: `Add its folder to linkedDirs, or give maintenance: { path: '…' } in one of them. They are: ${linkedDirs.join(', ') || 'none'}.`,
    },
  )
}

async function readPage(
  { local }: OnHost,
  { application, maintenance }: StageOptions,
  message: string | undefined,
): Promise<string> {
  const { page } = maintenance
  if (page !== undefined) {
    const text = await local.readFile(page)
    return message === undefined ? text : text.replaceAll('{{message}}', escapeHtml(message))
  }
  const said = message ?? 'We are working on it and will be back soon.'
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(application)}: down for maintenance</title>
<body style="font-family: sans-serif; max-width: 40em; margin: 20vh auto; padding: 0 1em">
<h1>Down for maintenance</h1>
<p>${escapeHtml(said)}</p>
</html>
`
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"]/g, (sign) => ENTITIES[sign] ?? sign)
}
