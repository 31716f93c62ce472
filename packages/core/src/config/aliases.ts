import { Problem } from '../problem/problem.ts'
import { nearest } from '../problem/suggest.ts'
import type { AnyTask } from '../task/task.ts'
import type { Catalog } from './catalog.ts'
import { BUILT_IN_WORDS } from './reserved.ts'

/**
 * The tasks' names by their aliases.
 * @throws Problem `TASK_DOUBLE` or `CONFIG_INVALID` (usage) for an alias that means something else already
 */
export function readAliases(tasks: ReadonlyMap<string, AnyTask>): ReadonlyMap<string, string> {
  const aliases = new Map<string, string>()
  for (const task of tasks.values()) {
    for (const alias of task['~task'].spec.aliases ?? []) {
      const { location } = task['~task']
      if (BUILT_IN_WORDS.includes(alias)) {
        const message = `'${alias}' cannot be an alias of '${task.name}': that word is a command of deployfile`
        throw new Problem('usage', 'CONFIG_INVALID', message, { location, key: 'aliases' })
      }
      const named = tasks.get(alias)
      const other = named ?? tasks.get(aliases.get(alias) ?? '')
      if (other && (named || other !== task)) throw clash(alias, task, other)
      aliases.set(alias, task.name)
    }
  }
  return aliases
}

function clash(alias: string, task: AnyTask, other: AnyTask): Problem {
  const { location } = other['~task']
  const message =
    other === task
      ? `'${alias}' is an alias of itself`
      : other.name === alias
        ? `'${alias}' is an alias of '${task.name}' and the name of another task`
        : `'${alias}' is an alias of both '${other.name}' and '${task.name}'`
  const at =
    location && other !== task ? ` The other task is at ${location.file}:${String(location.line)}.` : ''
  return new Problem('usage', 'TASK_DOUBLE', message, {
    location: task['~task'].location,
    key: 'aliases',
    hint: `Take '${alias}' out of aliases.${at}`,
  })
}

/** The task that a word of the command line names, by its name or an alias. */
export function taskNamed(catalog: Pick<Catalog, 'tasks' | 'aliases'>, word: string): AnyTask | undefined {
  return catalog.tasks.get(word) ?? catalog.tasks.get(catalog.aliases.get(word) ?? '')
}

/** The nearest name or alias. */
export function nearestTask(catalog: Pick<Catalog, 'tasks' | 'aliases'>, word: string): string | undefined {
  return nearest(word, [...catalog.tasks.keys(), ...catalog.aliases.keys()])
}

/** `'b', an alias of 'foo'`, so that nobody wonders why a list does not have it; for a name only that. */
export function quoteTask(catalog: Pick<Catalog, 'aliases'>, name: string): string {
  const of = catalog.aliases.get(name)
  return of === undefined ? `'${name}'` : `'${name}', an alias of '${of}'`
}

export function didYouMeanTask(
  catalog: Pick<Catalog, 'tasks' | 'aliases'>,
  word: string,
): string | undefined {
  const name = nearestTask(catalog, word)
  return name === undefined ? undefined : `Did you mean ${quoteTask(catalog, name)}?`
}
