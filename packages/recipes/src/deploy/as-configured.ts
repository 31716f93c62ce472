import { task as coreTask, type Shell } from '@deployfile/core'
import { stageOptions, type Planning } from './stage-options.ts'
import type { DeployOptions } from './options.ts'

type Body = (context: Planning & { readonly remote?: Shell }) => unknown

const BODIES = ['run', 'undo', 'finally', 'preview'] as const

/**
 * core's `task`, whose bodies get a `remote` that runs everything as the options say: as `user`, with `env` and `umask`. All tasks of
 * the recipe are made by it, so that no file in deploy_to gets another owner than the rest.
 */
export function taskAs(options: DeployOptions): typeof coreTask {
  if (options.user === undefined && options.env === undefined && options.umask === undefined) return coreTask
  const make = (name: string, spec: Readonly<Record<string, unknown>>): unknown => {
    const bodies = BODIES.flatMap((key) =>
      typeof spec[key] === 'function' ? [[key, configured(options, spec[key] as Body)] as const] : [],
    )
    return (coreTask as (name: string, spec: object) => unknown)(name, {
      ...spec,
      ...Object.fromEntries(bodies),
    })
  }
  return Object.assign(make, coreTask)
}

function configured(options: DeployOptions, body: Body): Body {
  return (context) => {
    if (context.host === undefined) return body(context)
    const { user, env, umask } = stageOptions(options, context.stage, context.host)
    const given = {
      ...(user !== undefined && { user }),
      ...(env !== undefined && { env }),
      ...(umask !== undefined && { umask: Number.parseInt(umask, 8) }),
    }
    // What is not taken out of the context is not made: a body that uses no shell connects to none.
    const own = Object.create(context, {
      remote: { get: () => context.remote?.with(given), enumerable: true },
    }) as typeof context
    return body(own)
  }
}
