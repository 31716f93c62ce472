import type { Catalog } from '@deployfile/core'
import type { CommandLine } from './command-line.ts'
import { listJson, listLines, type ListOptions } from './list.ts'
import { printDocument, type Terminal } from './terminal.ts'

/** `-T`, `-A`, `-D`, `-P`, `-W`. Returns the exit code. */
export function printList(catalog: Catalog, line: CommandLine, terminal: Terminal): number {
  const { pattern, all } = line
  const kind = line.list ?? 'tasks'
  const asked = { kind, pattern, all }
  return printDocument(terminal, line, listJson(catalog, asked), (view) => {
    const options: ListOptions = { ...asked, ...view, cwd: terminal.cwd }
    return listLines(catalog, options)
  })
}
