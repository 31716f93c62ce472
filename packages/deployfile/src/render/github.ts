import { appendFileSync } from 'node:fs'
import type { RunEvent } from '@deployfile/core'
import { duration } from './duration.ts'
import { labelOf } from './node-label.ts'
import { plainRenderer } from './plain.ts'
import type { RenderContext, Renderer } from './renderer.ts'
import { printable } from './style.ts'
import { endedRows, type EndedRow } from './summary.ts'

/**
 * Plain lines for GitHub Actions: what belongs to a task is folded into a group, each failure is an annotation on the run's page, and
 * the step's summary gets a table. Secrets are `***` before they come here, so there is nothing to mask.
 */
export function githubRenderer(context: RenderContext, summaryFile: string | undefined): Renderer {
  const write = (text: string): void => void context.output.write(text)
  // A line that a program printed must not be taken for a command to the runner.
  const output = {
    ...context.output,
    write(text: string) {
      write(text.replace(/^(\s*)(::|##\[)/gm, '$1·$2'))
    },
  }
  let open = false
  const close = (): void => {
    if (open) write('::endgroup::\n')
    open = false
  }
  const plain = plainRenderer({ ...context, output }, (title) => {
    close()
    write(`::group::${escape(printable(title))}\n`)
    open = true
  })
  const rows = endedRows(context.plan)
  return {
    ...plain,
    event(event) {
      rows.event(event)
      if (event.type === 'run.ended') close()
      plain.event(event)
      const annotation = annotationOf(event, context)
      if (annotation !== undefined) write(`${annotation}\n`)
      if (event.type === 'run.ended' && summaryFile !== undefined) {
        writeSummary(summaryFile, summaryText(context, event, rows.list()))
      }
    },
    async end() {
      close()
      await plain.end()
    },
  }
}

function annotationOf(event: RunEvent, { plan }: RenderContext): string | undefined {
  if (event.type !== 'node.ended' || event.problem === undefined) return undefined
  if (event.status !== 'failed' && event.status !== 'warned') return undefined
  const node = plan.nodes.find(({ id }) => id === event.node)
  const name = node ? `${labelOf(node)}${node.host === undefined ? '' : ` on ${node.host}`}` : event.node
  const { message, hint, location, command } = event.problem
  const place = location ? `file=${property(location.file)},line=${String(location.line)},` : ''
  // Of one line, the message has it already.
  const tail = command && command.tail.length > 1 ? command.tail.slice(-5) : []
  const lines = [message, ...tail, ...(hint === undefined ? [] : [hint])]
  const kind = event.status === 'failed' ? 'error' : 'warning'
  return `::${kind} ${place}title=${property(name)}::${escape(lines.map((line) => printable(line)).join('\n'))}`
}

function summaryText(
  { plan, run }: RenderContext,
  { status, durationMs }: Extract<RunEvent, { type: 'run.ended' }>,
  rows: readonly EndedRow[],
): string {
  const mark = status === 'done' ? '✅' : '❌'
  return [
    `### ${mark} ${cell(`${plan.stage}: ${plan.requested.join(' ')}`)} ${status} after ${duration(durationMs)}`,
    '',
    '| task | hosts | ended | time |',
    '| --- | --- | --- | --- |',
    ...rows.map(
      ({ label, hosts, statuses, durationMs: time }) =>
        `| ${[label, hosts.join(', '), statuses.join(', '), duration(time)].map(cell).join(' | ')} |`,
    ),
    '',
    `Run \`${run.id}\` by ${cell(run.user)}`,
    '',
  ].join('\n')
}

function cell(text: string): string {
  return printable(text).replace(/[|<>\\`*_]/g, '\\$&')
}

function writeSummary(file: string, text: string): void {
  try {
    appendFileSync(file, `${text}\n`)
  } catch {
    // The run is over and did what it did; its summary is only another view of it.
  }
}

/** GitHub's own: `%`, line ends; in properties the signs that end them, too. */
function escape(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function property(text: string): string {
  return escape(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
