import { didYouMean, Problem, type AnyTask, type Catalog } from '@deployfile/core'
import { shorten } from '../render/problem.ts'
import type { Style } from '../render/style.ts'
import { cut } from '../render/width.ts'
import { describeTask, needsOf, taskFacts } from './describe.ts'
import type { ListKind } from './command-line.ts'
import { needsTree } from './needs-tree.ts'

/** What is listed. */
export interface Asked {
  readonly kind: ListKind
  /** Only tasks with a name or an alias that contains it. */
  readonly pattern: string | undefined
  /** Also tasks without a description. */
  readonly all: boolean
}

export interface ListOptions extends Asked {
  /** Lines are cut to this width; undefined: never. */
  readonly columns: number | undefined
  readonly cwd: string
  readonly style: Style
}

/** The tasks that a list shows, by name. */
export function listed(catalog: Catalog, { pattern, all, kind }: Asked): AnyTask[] {
  return [...catalog.tasks.values()]
    .filter(
      (task) =>
        (all || kind === 'where' || task.desc !== undefined) &&
        (pattern === undefined || namesOf(task).some((name) => name.includes(pattern))),
    )
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

// An alias finds its task, which is shown by its own name.
function namesOf(task: AnyTask): readonly string[] {
  return [task.name, ...(task['~task'].spec.aliases ?? [])]
}

/**
 * `deployfile assets:build   # Build the front end`: the shape of `cap -T` and `rake -T`.
 * @throws Problem `LIST_EMPTY` (usage) when no name has the pattern
 */
export function listLines(catalog: Catalog, options: ListOptions): string[] {
  const tasks = listed(catalog, options)
  const { pattern, style } = options
  if (tasks.length === 0 && pattern !== undefined) throw nothing(catalog, pattern)
  if (tasks.length === 0) {
    const rest = catalog.tasks.size
    return [
      rest === 0
        ? 'The config has no tasks.'
        : `No task has a description; deployfile -A lists all ${String(rest)}.`,
    ]
  }
  if (options.kind === 'describe') return tasks.flatMap((task) => describeTask(task, { ...options, catalog }))
  if (options.kind === 'needs') return needsTree(tasks, catalog)
  const where = options.kind === 'where'
  const width = Math.max(...tasks.map((task) => task.name.length))
  return tasks.map((task) => {
    const head = `deployfile ${task.name.padEnd(width)}`
    const tail = where ? placeOf(task, options.cwd) : firstSentence(task.desc)
    if (tail === '') return head.trimEnd()
    const text = where ? tail : `# ${tail}`
    return `${head}  ${style.dim(cut(text, options.columns === undefined ? undefined : options.columns - head.length - 2))}`
  })
}

/** The list for programs: with `-D` all that is known of each task, with `-P` what it needs. */
export function listJson(catalog: Catalog, asked: Asked): unknown {
  return listed(catalog, asked).map((task) => {
    const { location, spec } = task['~task']
    if (asked.kind === 'describe') return taskFacts(task, catalog)
    return {
      name: task.name,
      desc: task.desc ?? null,
      aliases: spec.aliases ?? [],
      effect: spec.effect ?? 'write',
      ...(asked.kind === 'needs' && { needs: needsOf(task) }),
      location: location ?? null,
    }
  })
}

function firstSentence(desc: string | undefined): string {
  const [line = ''] = (desc ?? '').trim().split('\n', 1)
  return line.replace(/\.(?:\s.*)?$/, '')
}

function placeOf(task: AnyTask, cwd: string): string {
  const { location } = task['~task']
  return location ? `${shorten(location.file, cwd)}:${String(location.line)}` : ''
}

function nothing(catalog: Catalog, pattern: string): Problem {
  const guess = didYouMean(pattern, catalog.tasks.keys())
  return new Problem('usage', 'LIST_EMPTY', `no task's name contains '${pattern}'`, {
    hint: guess ?? 'deployfile -T lists those with a description, deployfile -A all.',
  })
}
