import { locate, type OnHost } from './layout.ts'
import type { StageOptions } from './stage-options.ts'
import { runSteps } from './step.ts'
import type { Flip } from './tasks.ts'
import type { Release } from './before-migrate.ts'

/** Capistrano's line about a deploy, letter for letter: its users have tools that read it. */
export function deployedLine({ branch, revision, name }: Release, user: string): string {
  return oneLine(`Branch ${branch} (at ${revision}) deployed as release ${name} by ${user}`)
}

/** Capistrano's line about a rollback. */
export function rolledBackLine({ name }: Flip, user: string): string {
  return oneLine(`${user} rolled back to release ${name}`)
}

// A user's name comes from the environment; it must not be able to write a second line.

const oneLine = (text: string): string => text.replaceAll(/[\u0000-\u001f\u007f]+/g, ' ')

/** Appends to `revisions.log`. */
export async function appendRevisionLog(
  { remote }: OnHost,
  options: StageOptions,
  line: string,
): Promise<void> {
  const layout = await locate(remote, options.deployTo)
  const script = `step 'writing revisions.log'\nprintf '%s\\n' "$2" >> "$1"`
  await runSteps(remote, { title: 'write revisions.log', code: 'REVISION_LOG_FAILED' }, script, [
    layout.revisionLog,
    line,
  ])
}
