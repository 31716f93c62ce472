import { basename, isAbsolute, join } from 'node:path'
import type { BaseContext, Host, Shell, Stage } from '@deployfile/core'
import { openTunnel, type Site } from '@deployfile/postgres'
import { databaseOf, type Settings } from './settings.ts'

/** Where tasks on a database run. */
export const PLACE = { role: 'db', pick: 'primary' } as const

/** What of a context says where a database is, and takes what is said of it. */
export type HostContext = Pick<BaseContext, 'stage' | 'signal' | 'log' | 'progress' | 'local'> & {
  readonly run: Pick<BaseContext['run'], 'root'>
  readonly host: Host
  readonly remote: Shell
}

/** The stage's database as a task on its host reaches it. */
export async function siteOf(settings: Settings, context: HostContext): Promise<Site> {
  const { connection, password } = databaseOf(settings, context.stage)
  const { remote, local, signal } = context
  const folder = await folderOn(settings, context)
  const here = context.host.transport !== 'local' && runsHere(settings, context)
  const way = here
    ? { ...(await openTunnel(remote, connection)), shell: local }
    : { connection, shell: remote }
  // Methods of a context are called on it.
  return {
    ...{ ...way, password, folder, signal },
    log: (message) => context.log(message),
    progress: (done, total, facts) => context.progress(done, total, facts),
  }
}

/** Whether the client programs of a task's database run on this machine, and its backups are files of this machine. */
export function runsHere(
  settings: Settings,
  { host, stage }: { readonly host: Host; readonly stage: Stage },
): boolean {
  return host.transport === 'local' || databaseOf(settings, stage).tunnel
}

/** The folder of backups on this machine. */
export function folderHere(settings: Settings, context: Pick<HostContext, 'run'>): string {
  return absolute(context.run.root, settings.backups)
}

async function folderOn(settings: Settings, context: HostContext): Promise<string> {
  // A host that is a folder of this machine shares the folder beside deploy.config.ts: its root is what it serves.
  if (runsHere(settings, context)) return folderHere(settings, context)
  if (isAbsolute(settings.backups)) return absolute('/', settings.backups)
  return absolute(await context.remote.capture`printf '%s' "$HOME"`, settings.backups)
}

function absolute(start: string, path: string): string {
  const whole = isAbsolute(path) ? join(path) : join(start, path)
  return whole.length > 1 ? whole.replace(/\/$/, '') : whole
}

/** What backups are called after, unless the options say. */
export async function applicationName(settings: Settings, context: BaseContext): Promise<string> {
  if (settings.application !== undefined) return settings.application
  const file = join(context.run.root, 'package.json')
  const fallback = basename(context.run.root) || 'app'
  if (!(await context.local.exists(file))) return fallback
  try {
    const { name } = JSON.parse(await context.local.readFile(file)) as { name?: unknown }
    return typeof name === 'string' && name !== '' ? name.replace(/^@[^/]*\//, '') : fallback
  } catch {
    return fallback
  }
}

/**
 * Removes what a run put on a remote host for its own use. That this failed is said, with the host, but fails no run: the work is
 * done, or has failed for a better reason.
 */
export async function tidy(
  settings: Settings,
  context: HostContext,
  remove: () => Promise<void>,
): Promise<void> {
  if (runsHere(settings, context)) return
  try {
    await remove()
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    context.log(
      `warning: temporary files may be left in the folder of backups on ${context.host.name}: ${why}`,
    )
  }
}
