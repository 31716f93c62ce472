import type { Catalog } from '../config/catalog.ts'
import type { Executor, Job, JobEnd } from '../port/executor.ts'
import type { ShellProvider } from '../port/shell.ts'
import { contextOf } from './task-context.ts'

/** Enters bodies in this process; each is looked up by the name of its task, since a job is data. */
export function localExecutor(catalog: Catalog, shells: ShellProvider): Executor {
  return {
    enter(job, link) {
      const opened = contextOf(catalog, shells, job, link)
      const returned = (value: unknown): JobEnd => {
        const [thrown] = opened.unheard
        if (thrown !== undefined) return { kind: 'threw', thrown }
        const skipped = opened.skipped()
        return skipped === undefined ? { kind: 'returned', value } : { kind: 'returned', value, skipped }
      }
      try {
        const value: unknown = bodyOf(catalog, job)?.(opened.context)
        if (!isThenable(value)) return returned(value)
        // Not `value.then(…)`: a thenable of somebody else's may call back twice, or throw.
        return Promise.resolve(value).then(returned, (thrown: unknown) => ({ kind: 'threw', thrown }))
      } catch (thrown) {
        return { kind: 'threw', thrown }
      }
    },
  }
}

function bodyOf(catalog: Catalog, { node, phase, run }: Job): ((context: unknown) => unknown) | undefined {
  const task = catalog.tasks.get(node.task)
  if (!task) throw new Error(`a job is of the task '${node.task}', which the config does not have`)
  const { spec } = task['~task']
  if (run.dryRun === true && phase === 'run' && typeof spec.preview === 'function') return spec.preview
  return spec[phase]
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
