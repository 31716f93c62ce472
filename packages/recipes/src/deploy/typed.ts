import type { BaseContext } from '@deployfile/core'

/** Who says it: the task, and the stage on which it runs. */
export type Saying = Pick<BaseContext, 'task' | 'stage'>

/**
 * The command that a message tells people to type, for a task of this recipe: where the recipe is in a namespace, with the same prefix
 * as the task that says it.
 */
export function typed({ task, stage }: Saying, wanted: `${'deploy' | 'shared'}:${string}`): string {
  // The last, because a prefix may be called so, too.
  const prefix = Math.max(0, task.lastIndexOf('deploy'), task.lastIndexOf('shared'))
  return `npx deployfile ${stage.name} ${task.slice(0, prefix)}${wanted}`
}
