import { callerLocation } from '../problem/location.ts'
import { checkAliases, checkName } from './check-spec.ts'
import type { CheckNeeds } from './needs.ts'
import { makeTask, type Needs, type Task } from './task.ts'

/** A name for several tasks: no body, no result; it ends when all of them have. Recipes use groups as milestones to hook onto. */
export function group<const Name extends string, N extends Needs>(
  name: Name,
  needs: N & CheckNeeds<N>,
  options: { readonly desc?: string; readonly aliases?: readonly string[] } = {},
): Task<Name, {}, void, 'once'> {
  const location = callerLocation(group)
  checkName(name, location)
  checkAliases(name, options.aliases, location)
  const spec = {
    needs,
    input: undefined,
    on: undefined,
    when: undefined,
    onError: 'fail',
    run: undefined,
    undo: undefined,
    finally: undefined,
  } as const
  return makeTask(name, { ...spec, effect: 'read', ...options }, location, undefined)
}
