import type { AnyTask, Catalog } from '@deployfile/core'
import { needsOf } from './describe.ts'

/** `-P`: each task with what it needs below it, as `rake -P`; what stands in full above is only named again. */
export function needsTree(tasks: readonly AnyTask[], catalog: Catalog): string[] {
  const told = new Set<string>()
  const below = (name: string, depth: number): string[] => {
    const indent = '    '.repeat(depth)
    const needs = namesBelow(name, catalog)
    if (needs.length > 0 && told.has(name)) return [`${indent}${name} …`]
    told.add(name)
    return [`${indent}${name}`, ...needs.flatMap((need) => below(need, depth + 1))]
  }
  return tasks.flatMap(({ name }) => {
    const [head = '', ...rest] = below(name, 0)
    return [`deployfile ${head}`, ...rest]
  })
}

function namesBelow(name: string, catalog: Catalog): readonly string[] {
  const task = catalog.tasks.get(name)
  return task ? needsOf(task) : []
}
