import {
  DefaultRenderer,
  Listr,
  ListrLogger,
  ProcessOutput,
  Spinner,
  type ListrDefaultRendererLogLevels,
  type ListrDefaultRendererTask,
} from 'listr2'
import { clock, duration } from './duration.ts'
import { endedWell } from './ended-well.ts'
import { header } from './header.ts'
import type { RenderContext, Renderer } from './renderer.ts'
import { isActive, saidLines, stateOf, treeRows, type Row, type RowState } from './tree-rows.ts'
import { visibleRows } from './tree-window.ts'

/** Milliseconds between two drawings. */
const FRAME = 80

/**
 * The live screen, drawn by listr2: one row a task, its hosts folded into it, the last line of output below what runs.
 * listr2 only shows. Its tasks are rows that stay open until the run is over; what a row says and which rows are there is decided when
 * a frame is drawn, because listr2 redraws at each change of a task, which costs time that grows with rows times changes.
 */
export function treeRenderer(context: RenderContext): Renderer {
  const { style, output } = context
  const rows = treeRows(context.plan)
  let startedAt = context.run.startedAt.getTime()
  const notices: string[] = []
  let verdict = ''
  let screen: Screen | undefined

  for (const line of header(context)) output.write(`${line}\n`)

  const icon = (state: RowState, frame: string): string => {
    if (state === 'running') return style.cyan(frame)
    if (state === 'undoing') return style.yellow(frame)
    if (state === 'done') return style.green('✔')
    if (state === 'failed' || state === 'stuck') return style.red('✘')
    if (state === 'undone') return style.yellow('↩')
    if (state === 'skipped') return style.dim('↓')
    if (state === 'warned') return style.yellow('!')
    return style.dim(state === 'cancelled' ? '■' : '○')
  }

  const title = (row: Row, withOutput: boolean, now: number): string => {
    const state = stateOf(row)
    const name =
      state === 'waiting' || state === 'blocked' || state === 'skipped' ? style.dim(row.label) : row.label
    const hosts = row.hosts.filter((host) => host !== '')
    const facts = [
      hosts.length === 0 ? '' : hosts.length <= 3 ? hosts.join(', ') : `${String(hosts.length)} hosts`,
      state === 'running' && hosts.length > 1 ? `${String(row.ended.size)}/${String(hosts.length)}` : '',
      row.startedAt === undefined || state === 'blocked'
        ? ''
        : duration((isActive(state) ? now : (row.endedAt ?? now)) - row.startedAt),
      wordOf(state, row),
    ].filter((fact) => fact !== '')
    const line = facts.length === 0 ? name : `${name}  ${style.dim(facts.join('  '))}`
    return withOutput ? `${line}\n${style.dim(`› ${row.last}`)}` : line
  }

  const footer = (list: readonly Row[], visible: number, now: number): string[] => {
    const over = list.filter((row) => !['waiting', 'running'].includes(stateOf(row))).length
    const hidden = list.length - visible
    const more = hidden === 0 ? '' : `  ${String(hidden)} more not shown`
    const state = `${clock(now - startedAt)}  ${String(over)} of ${String(list.length)} tasks${more}`
    return ['', style.dim(state), ...notices.slice(-1).map((text) => style.yellow(text))]
  }

  const open = (): Screen =>
    openScreen({
      rows: rows.list,
      icon: (row, frame) => icon(stateOf(row), frame),
      draw(show, mode) {
        const now = Date.now()
        const height = output.rows ?? 24
        // Header and footer leave the rest; one line stays free for the cursor.
        const list = rows.shown()
        const visible =
          mode === 'final' ? list.map((row) => ({ row, output: false })) : visibleRows(list, height - 5)
        for (const one of visible) show(one.row, title(one.row, one.output, now))
        if (mode !== 'final') return footer(list, visible.length, now)
        const said = saidLines(rows.list).map(({ text, asked }) => (asked ? text : style.dim(text)))
        return [...(said.length > 0 ? ['', ...said] : []), '', verdict]
      },
    })

  return {
    event(event) {
      if (event.type === 'run.started' || event.type === 'run.resumed') {
        startedAt = event.at
        if (rows.list.length > 0) screen = open()
      }
      rows.apply(event)
      if (event.type === 'run.ended') {
        const text = `${event.status} after ${duration(event.durationMs)}`
        verdict = endedWell(event) ? style.green(`✔ ${text}`) : style.red(`✘ ${text}`)
      }
      if (event.type === 'run.left') notices.push(`nothing is undone: ${event.reason}`)
      if (event.type === 'run.stopping') notices.push(`stopping: ${event.reason}`)
    },
    async pause() {
      await screen?.close('gone')
      screen = undefined
    },
    resume() {
      screen ??= open()
    },
    notice: (text) => void notices.push(text),
    async end() {
      await screen?.close('final')
      screen = undefined
    },
  }
}

function wordOf(state: RowState, row: Row): string {
  if (state === 'skipped') return row.reason === '' ? 'skipped' : `skipped: ${row.reason}`
  if (state === 'blocked') return 'not run'
  if (state === 'undoing') return 'undoing'
  if (state === 'stuck') return 'undo failed'
  return state === 'failed' || state === 'cancelled' || state === 'undone' || state === 'warned' ? state : ''
}

type Mode = 'live' | 'final' | 'gone'

interface Screen {
  /** 'final' leaves every row on the screen, 'gone' nothing. */
  close(mode: 'final' | 'gone'): Promise<void>
}

interface ScreenParts {
  readonly rows: readonly Row[]
  readonly icon: (row: Row, frame: string) => string
  /** Says what is shown of which rows, and gives the lines below them. */
  readonly draw: (show: (row: Row, title: string) => void, mode: Mode) => readonly string[]
}

function openScreen({ rows, icon, draw }: ScreenParts): Screen {
  let mode: Mode = 'live'
  let drawnAt = 0
  let release = (): void => undefined
  const released = new Promise<void>((resolve) => (release = resolve))
  const spinner = new Spinner()
  const rowOfTask = new Map<string, Row>()
  const taskOfRow = new Map<Row, { title?: string }>()

  class RunScreen extends DefaultRenderer {
    override update(): void {
      if (mode !== 'live' || Date.now() - drawnAt < FRAME) return
      drawnAt = Date.now()
      super.update()
    }

    override create(options?: Parameters<DefaultRenderer['create']>[0]): string {
      if (mode === 'gone') return ''
      // listr2 prints nothing for an empty title.
      for (const task of listr.tasks) task.title = ''
      const below = draw((row, title) => {
        const task = taskOfRow.get(row)
        if (task) task.title = title
      }, mode)
      return [super.create(options), ...below].join('\n')
    }

    protected override style(task: ListrDefaultRendererTask): string {
      const row = rowOfTask.get(task.id)
      return row ? icon(row, spinner.fetch()) : ''
    }
  }

  const listr = new Listr(
    rows.map((row) => ({ title: row.label, task: () => released })),
    {
      concurrent: true,
      exitOnError: false,
      // Ctrl-C belongs to the run, which undoes first.
      registerSignalListeners: false,
      renderer: RunScreen,
      rendererOptions: {
        formatOutput: 'truncate',
        spinner,
        logger: new ListrLogger<ListrDefaultRendererLogLevels>({
          processOutput: new ProcessOutput(),
          useIcons: false,
        }),
      },
    },
  )
  for (const [index, task] of listr.tasks.entries()) {
    const row = rows[index]
    if (!row) continue
    rowOfTask.set(task.id, row)
    taskOfRow.set(row, task)
  }
  const done = listr.run()
  return {
    async close(last) {
      mode = last
      release()
      await done
    },
  }
}
