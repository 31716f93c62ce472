import type { CalledNode, PlanNode, RunEvent } from '@deployfile/core'
import { clock, duration } from './duration.ts'
import { endedWell } from './ended-well.ts'
import { header } from './header.ts'
import { heartbeat } from './heartbeat.ts'
import { labelOf } from './node-label.ts'
import type { RenderContext, Renderer } from './renderer.ts'
import { progressKey, progressText } from './progress-text.ts'
import { retryText } from './retry-text.ts'
import { printable } from './style.ts'
import { sinceStart, transferText, type TransferStart } from './transfer-text.ts'

type CommandEvent = Extract<RunEvent, { type: 'node.command' }>['event']

/** Milliseconds between two lines about the progress of one node. */
const PROGRESS_EVERY = 10_000

interface Command {
  readonly number: string
  readonly reads: boolean
}

interface TaskLog {
  /** Numbers by the command's text: the same command on another host is the same line of work. */
  readonly numbers: Map<string, number>
}

/**
 * For logs and CI, in the words of airbrussh, which Capistrano users read every day: `mm:ss task`, numbered commands, their output,
 * and `✔ 01 web1 0.35s` for each host. No cursor movement, nothing is ever taken back. When nothing was said for half a minute, what
 * still runs is. `heading` prints a task's title in another way.
 */
export function plainRenderer(context: RenderContext, heading?: (title: string) => void): Renderer {
  const { style, verbose } = context
  const { plan } = context
  const all = [...plan.nodes, ...(plan.onFailure?.nodes ?? [])]
  const nodes = new Map<string, PlanNode | CalledNode>(all.map((node) => [node.id, node]))
  /** Tasks that run on several hosts: their output says whose it is (airbrussh #98). */
  const shared = sharedLabels(all)
  const logs = new Map<string, TaskLog>()
  const commands = new Map<string, Command>()
  /** Nodes whose failed command has been shown: their own end would only repeat it. */
  const told = new Set<string>()
  const progressAt = new Map<string, number>()
  const starts = new Map<string, TransferStart>()
  let startedAt = context.run.startedAt.getTime()
  let current = ''

  const print = (line: string): void => {
    beat.heard()
    context.output.write(`${line}\n`)
  }
  const beat = heartbeat(plan, (text, at) => {
    current = ''
    print(style.dim(`${clock(at - startedAt)} ${text}`))
  })
  for (const line of header(context)) print(line)

  const titleOf = (node: PlanNode | CalledNode): string => {
    const caller = 'parent' in node ? nodes.get(node.parent) : undefined
    return caller ? `${titleOf(caller)} → ${labelOf(node)}` : labelOf(node)
  }

  // Hosts pipeline, so tasks take turns: a task's name is printed again whenever the lines below it change hands.
  const under = (node: PlanNode, phase: string, at: number): void => {
    const title = `${titleOf(node)}${phase === 'run' ? '' : ` (${phase})`}`
    if (title === current) return
    current = title
    if (heading) heading(title)
    else print(`${style.dim(clock(at - startedAt))} ${style.cyan(title)}`)
  }

  const command = (node: PlanNode, phase: string, event: CommandEvent, at: number): void => {
    if (event.type === 'transfer') {
      const since = sinceStart(starts, `${node.id} ${event.path}`, event.bytes, at)
      const done = event.total !== undefined && event.bytes >= event.total
      if (!done && !due(`${node.id} ${event.path}`, at)) return
      under(node, phase, at)
      print(`      ${event.host}: ${event.path} ${transferText(event, since)}`)
      return
    }
    if (event.type === 'command.skipped') {
      under(node, phase, at)
      print(`      ${event.host}: would: ${style.yellow(oneLine(event.text))}`)
      return
    }
    const key = `${node.id} ${phase} ${String(event.command)} ${event.host}`
    if (event.type === 'command.started') {
      const title = `${labelOf(node)} ${phase}`
      const log = logs.get(title) ?? { numbers: new Map<string, number>() }
      logs.set(title, log)
      if (event.reads && !verbose) {
        commands.set(key, { number: '', reads: true })
        return
      }
      const known = log.numbers.get(event.text)
      const number = known ?? log.numbers.size + 1
      log.numbers.set(event.text, number)
      const label = String(number).padStart(2, '0')
      commands.set(key, { number: label, reads: event.reads })
      under(node, phase, at)
      if (known === undefined) print(`      ${label} ${style.yellow(oneLine(event.text))}`)
      return
    }
    const started = commands.get(key)
    if (!started || (started.reads && !verbose)) return
    under(node, phase, at)
    if (event.type === 'command.output') {
      const whose = shared.has(labelOf(node)) ? `${event.host}: ` : ''
      print(`      ${started.number} ${whose}${printable(event.line)}`)
      return
    }
    if (event.exitCode !== 0) told.add(`${node.id} ${phase}`)
    // A read that says no is an answer, not a failure.
    const ok = event.exitCode === 0 || (started.reads && event.exitCode === 1)
    const how = ok ? '' : ` ${event.signal === null ? `exit ${String(event.exitCode ?? '?')}` : event.signal}`
    const mark = ok
      ? style.green(`✔ ${started.number} ${event.host}`)
      : style.red(`✘ ${started.number} ${event.host}${how}`)
    print(`    ${mark} ${style.dim(duration(event.durationMs))}`)
  }

  const due = (key: string, at: number): boolean => {
    if (at - (progressAt.get(key) ?? startedAt) < PROGRESS_EVERY) return false
    progressAt.set(key, at)
    return true
  }

  const said = (node: PlanNode, text: string): void =>
    print(`      ${node.host === undefined ? '' : `${node.host}: `}${printable(text)}`)

  const ended = (node: PlanNode, event: Extract<RunEvent, { type: 'node.ended' }>): void => {
    if (event.status === 'done' || node.kind !== 'task') return
    // What never started has no place in a log; the failure block names it.
    if (event.status === 'blocked') return
    under(node, event.phase, event.at)
    if (event.status === 'skipped') {
      said(node, `skipped${event.reason === undefined ? '' : `: ${event.reason}`}`)
      return
    }
    if (event.problem?.code === 'COMMAND_FAILED' && told.has(`${node.id} ${event.phase}`)) return
    const text =
      event.problem === undefined ? event.status : printable(event.problem.message.split('\n', 1)[0] ?? '')
    const place = node.host === undefined || text.startsWith(`${node.host}: `) ? '' : `${node.host} `
    const line =
      event.status === 'warned' ? style.yellow(`! ${place}${text}`) : style.red(`✘ ${place}${text}`)
    print(`    ${line}`)
  }

  return {
    event(event) {
      beat.event(event)
      if (event.type === 'run.started' || event.type === 'run.resumed') {
        startedAt = event.at
        return
      }
      if (event.type === 'run.left') {
        current = ''
        print(style.yellow(`${clock(event.at - startedAt)} nothing is undone: ${event.reason}`))
        return
      }
      if (event.type === 'run.stopping') {
        current = ''
        print(style.yellow(`${clock(event.at - startedAt)} stopping: ${event.reason}`))
        return
      }
      if (event.type === 'run.ended') {
        const text = `${event.status} after ${duration(event.durationMs)}`
        print(endedWell(event) ? style.green(`✔ ${text}`) : style.red(`✘ ${text}`))
        return
      }
      if (event.type === 'node.calling') {
        for (const called of event.plan.nodes) nodes.set(called.id, called)
        for (const label of sharedLabels(event.plan.nodes)) shared.add(label)
      }
      const node = nodes.get(event.node)
      if (!node || event.type === 'node.calling' || event.type === 'node.reused') return
      if (event.type === 'node.started') {
        if (node.kind === 'task' && !node.milestone) under(node, event.phase, event.at)
      } else if (event.type === 'node.log') {
        under(node, event.phase, event.at)
        said(node, event.message)
      } else if (event.type === 'node.progress') {
        const since = sinceStart(starts, progressKey(event), event.done, event.at)
        if (!due(event.node, event.at)) return
        under(node, event.phase, event.at)
        said(node, progressText(event, since))
      } else if (event.type === 'node.retrying') {
        under(node, event.phase, event.at)
        print(style.yellow(`    ! ${node.host === undefined ? '' : `${node.host} `}${retryText(event)}`))
      } else if (event.type === 'node.command') command(node, event.phase, event.event, event.at)
      else ended(node, event)
    },
    // Somebody types: nothing must come in between, not even that all is well.
    pause: () => {
      beat.stop()
    },
    resume: () => {
      beat.heard()
    },
    notice: (text) => {
      print(style.yellow(text))
    },
    end() {
      beat.stop()
      return Promise.resolve()
    },
  }
}

function sharedLabels(nodes: readonly PlanNode[]): Set<string> {
  const hosts = new Map<string, Set<string>>()
  for (const node of nodes) {
    const known = hosts.get(labelOf(node)) ?? new Set()
    hosts.set(labelOf(node), known.add(node.host ?? ''))
  }
  return new Set([...hosts].flatMap(([label, on]) => (on.size > 1 ? [label] : [])))
}

function oneLine(text: string): string {
  const [first = '', ...more] = text.split('\n')
  return more.length === 0 ? printable(first) : `${printable(first)} …`
}
