import {
  type CommandOptions,
  type CommandOutput,
  type Host,
  Problem,
  type Shell,
  type ShellProvider,
  type ShellScope,
  type ShellValue,
} from '@deployfile/core'
import { attachOrder } from '../command/attach.ts'
import { commandFailed } from '../command/failure.ts'
import { createLastLines } from '../command/last-lines.ts'
import { type Order, program, readable, script } from '../command/order.ts'
import { compose } from '../command/template.ts'
import { merge, under } from '../command/under.ts'
import {
  existsOrder,
  mkdirOrder,
  readOrder,
  removeOrder,
  renameOrder,
  symlinkOrder,
} from '../transfer/entry.ts'

/** Standard output, or an exit code, or both and more. */
export type Answer =
  string | number | { readonly stdout?: string; readonly stderr?: string; readonly exitCode?: number }

/** What a command is recognised by: its whole text, or a pattern in it. */
export type Answers = readonly (readonly [command: string | RegExp, answer: Answer])[]

/** One call of a shell, as data. */
export interface Recorded {
  readonly host: string
  /** The method of the shell. */
  readonly call: Exclude<keyof Shell, 'host' | 'with'>
  /** As an event would show it: `ln -sfn /srv/releases/1 /srv/current`. */
  readonly text: string
  readonly reads: boolean
  readonly options: CommandOptions
  /** What writeFile wrote, or a command was given. */
  readonly input?: string | Uint8Array
}

export interface Recorder extends ShellProvider {
  /** In the order of the calls, of all hosts. */
  readonly commands: readonly Recorded[]
}

/**
 * Shells that run nothing: they record every call, and answer from a list, the first match first. What changes things succeeds
 * when nothing is said of it; a question (`capture`, `test`, `exists`, `readFile`) without an answer is an error, because a
 * guessed answer would make a test that proves nothing. Texts: `test -e PATH` for exists, `cat PATH` for readFile.
 */
export function createRecorder(options: { readonly answers?: Answers } = {}): Recorder {
  const commands: Recorded[] = []
  const answers = options.answers ?? []
  const note = (recorded: Recorded): void => void commands.push(recorded)
  const open = (host: Host, scope: ShellScope): Shell =>
    recordingShell({ host, scope, answers, note, defaults: {} })
  return {
    commands,
    remote: open,
    local: (scope) => open({ ...localhost, roles: [] }, scope),
    close: () => Promise.resolve(),
  }
}

const localhost = {
  name: 'localhost',
  stage: '',
  transport: 'local',
  address: 'localhost',
  primary: false,
  props: {},
} as const

interface Parts {
  readonly host: Host
  readonly scope: ShellScope
  readonly answers: Answers
  readonly note: (recorded: Recorded) => void
  readonly defaults: CommandOptions
}

let counter = 0

function recordingShell(parts: Parts): Shell {
  const { host, scope, answers, note, defaults } = parts

  const reply = async (call: Recorded['call'], order: Order, given: CommandOptions = {}): Promise<Reply> => {
    const options = merge(defaults, given)
    // The same refusals as where it is run: a bad name of a variable, an empty path.
    const { text, reads, input: whole } = under(options, order)
    const input = typeof whole === 'string' || whole instanceof Uint8Array ? whole : undefined
    await Promise.resolve()
    note({ host: host.name, call, text, reads, options, ...(input !== undefined && { input }) })
    const answer = answers.find(([wanted]) =>
      typeof wanted === 'string' ? wanted === text : wanted.test(text),
    )
    if (!answer && reads) throw unexpected(host.name, call, text, answers)
    const { stdout, stderr, exitCode } = spelled(answer?.[1] ?? 0)
    const command = ++counter
    scope.emit({ type: 'command.started', command, host: host.name, text, reads })
    scope.emit({ type: 'command.ended', command, host: host.name, exitCode, signal: null, durationMs: 0 })
    return { text, stdout, stderr, exitCode }
  }
  const output = async (...call: Parameters<typeof reply>): Promise<CommandOutput> => {
    const given = await reply(...call)
    if (given.exitCode !== 0) throw failed(host.name, given)
    const sink = merge(defaults, call[2] ?? {}).output
    if (sink) await new Promise<void>((resolve) => sink.end(given.stdout, resolve))
    const { stderr } = given
    return { stdout: sink ? '' : given.stdout, stderr, truncated: false, durationMs: 0 }
  }
  const truth = async (...call: Parameters<typeof reply>): Promise<boolean> => {
    const given = await reply(...call)
    if (given.exitCode > 1) throw failed(host.name, given)
    return given.exitCode === 0
  }
  const typed = (reads: boolean, strings: TemplateStringsArray, values: readonly ShellValue[]): Order => {
    const text = compose(strings, values)
    return { text, sh: text, reads }
  }
  const silently = async (...call: Parameters<typeof reply>): Promise<void> => {
    await output(...call)
  }
  const shown = (text: string): Order => ({ text, sh: '', reads: false })

  return {
    host,
    sh: async (strings: TemplateStringsArray, ...values: ShellValue[]) =>
      output('sh', typed(false, strings, values)),
    capture: async (strings: TemplateStringsArray, ...values: ShellValue[]) =>
      (await output('capture', typed(true, strings, values))).stdout.replace(/\n+$/, ''),
    test: async (strings: TemplateStringsArray, ...values: ShellValue[]) =>
      truth('test', typed(true, strings, values)),
    run: async (file, args = [], given = {}) => output('run', program(file, args), given),
    script: async (text, values = [], given = {}) =>
      output('script', { ...script(text, values), text }, given),
    attach: async (strings: TemplateStringsArray, ...values: ShellValue[]) =>
      silently('attach', attachOrder(defaults, compose(strings, values))),
    with(given) {
      // A bad name fails where it was written, as everywhere.
      under(given, shown(''))
      return recordingShell({ ...parts, defaults: merge(defaults, given) })
    },
    forward: async (to, given) => {
      const target = 'path' in to ? to.path : `${to.host}:${to.port}`
      await silently('forward', shown(`forward ${readable(target)}`))
      const port = given?.as === 'port' ? 1 : 0
      const path = port === 0 ? `/nowhere/${given?.name ?? 'socket'}` : ''
      const nothing = (): Promise<void> => Promise.resolve()
      return { path, port, connect: nothing, failures: () => [], close: nothing }
    },
    readFile: async (path) => (await output('readFile', readOrder(path))).stdout,
    writeFile: async (path, content) =>
      silently('writeFile', { ...shown(`cat > ${readable(path)}`), input: content }),
    exists: async (path) => truth('exists', existsOrder(path)),
    mkdir: async (path, given) => silently('mkdir', mkdirOrder(path, given?.mode)),
    remove: async (path) => silently('remove', removeOrder(path)),
    symlink: async (target, path) => silently('symlink', symlinkOrder(target, path)),
    rename: async (from, to) => silently('rename', renameOrder(from, to)),
    uploadFile: async (from, to) => silently('uploadFile', shown(`upload ${readable(from)} ${readable(to)}`)),
    uploadDir: async (from, to) =>
      silently('uploadDir', shown(`upload -r ${readable(from)} ${readable(to)}`)),
    downloadFile: async (from, to) => {
      const given = await output('downloadFile', shown(`download ${readable(from)} ${readable(to)}`))
      return Buffer.byteLength(given.stdout)
    },
    downloadDir: async (from, to) => {
      const given = await output('downloadDir', shown(`download -r ${readable(from)} ${readable(to)}`))
      return Buffer.byteLength(given.stdout)
    },
  }
}

interface Reply {
  readonly text: string
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: number
}

function spelled(answer: Answer): Omit<Reply, 'text'> {
  if (typeof answer === 'string') return { stdout: answer, stderr: '', exitCode: 0 }
  if (typeof answer === 'number') return { stdout: '', stderr: '', exitCode: answer }
  return { stdout: answer.stdout ?? '', stderr: answer.stderr ?? '', exitCode: answer.exitCode ?? 0 }
}

function failed(host: string, { text, stdout, stderr, exitCode }: Reply): Problem {
  const last = createLastLines()
  const streams = [
    ['stdout', stdout],
    ['stderr', stderr],
  ] as const
  for (const [stream, said] of streams)
    for (const line of said === '' ? [] : said.trimEnd().split('\n')) last.add({ stream, line })
  const { tail, output } = last
  return commandFailed({ host, text, tail, output }, { exitCode, signal: null })
}

function unexpected(host: string, call: string, text: string, answers: Answers): Problem {
  const known = answers.map(([command]) => String(command)).join(', ')
  return new Problem(
    'usage',
    'UNEXPECTED_COMMAND',
    `${host}: nobody told the recorder what ${call} of \`${text}\` gives`,
    {
      hint: `Add it to answers: [${JSON.stringify(text)}, 'output'] or an exit code. There are answers for: ${known || 'nothing'}.`,
      host,
    },
  )
}
