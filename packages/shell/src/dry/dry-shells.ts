import { stat } from 'node:fs/promises'
import type {
  CommandOptions,
  CommandOutput,
  Shell,
  ShellProvider,
  ShellScope,
  ShellValue,
} from '@deployfile/core'
import { program, readable, script, shownText, type Order } from '../command/order.ts'
import { compose } from '../command/template.ts'
import { mkdirOrder, removeOrder, renameOrder, symlinkOrder } from '../transfer/entry.ts'

/**
 * The same shells for a dry run: what only reads is done (`capture`, `test`, `exists`, `readFile`, and `run` and `script` with `reads`),
 * anything else is told by an event, with its real values, and succeeds without output.
 */
export function dryShells(shells: ShellProvider): ShellProvider {
  return {
    remote: (host, scope) => dryShell(shells.remote(host, scope), scope, {}),
    local: (scope) => dryShell(shells.local(scope), scope, {}),
    close: () => shells.close(),
  }
}

function dryShell(shell: Shell, scope: ShellScope, defaults: CommandOptions): Shell {
  const host = shell.host.name
  const tell = async (order: Pick<Order, 'text'>, given: CommandOptions = {}): Promise<CommandOutput> => {
    await Promise.resolve()
    const { cwd } = { ...defaults, ...given }
    const { user } = { ...defaults, ...given }
    const text = shownText({ ...order, ...(user !== undefined && { user }) } as Order)
    scope.emit({
      type: 'command.skipped',
      host,
      text: cwd === undefined ? text : `cd ${readable(cwd)} && ${text}`,
    })
    return { stdout: '', stderr: '', truncated: false, durationMs: 0 }
  }
  const told = async (text: string): Promise<void> => void (await tell({ text }))
  const reads = (given: CommandOptions = {}): boolean => ({ ...defaults, ...given }).reads === true
  return {
    ...shell,
    host: shell.host,
    sh: async (strings: TemplateStringsArray, ...values: ShellValue[]) =>
      tell({ text: compose(strings, values) }),
    run: async (file, args = [], given) =>
      reads(given) ? shell.run(file, args, given) : tell(program(file, args), given),
    script: async (text, values = [], given) =>
      reads(given) ? shell.script(text, values, given) : tell(script(text, values), given),
    with: (given) => dryShell(shell.with(given), scope, { ...defaults, ...given }),
    writeFile: (path, content) =>
      told(`write ${String(Buffer.byteLength(content))} bytes to ${readable(path)}`),
    mkdir: (path, given) => told(mkdirOrder(path, given?.mode).text),
    remove: (path) => told(removeOrder(path).text),
    symlink: (target, path) => told(symlinkOrder(target, path).text),
    rename: (from, to) => told(renameOrder(from, to).text),
    uploadFile: async (from, to) => told(`upload ${readable(from)} ${readable(to)}${await sizeOf(from)}`),
    uploadDir: (from, to) => told(`upload -r ${readable(from)} ${readable(to)}`),
    downloadFile: async (from, to) => (await told(`download ${readable(from)} ${readable(to)}`), 0),
    downloadDir: async (from, to) => (await told(`download -r ${readable(from)} ${readable(to)}`), 0),
  }
}

/** Of a file here; what another step would have made is not there, and has none. */
async function sizeOf(file: string): Promise<string> {
  try {
    return ` (${String((await stat(file)).size)} bytes)`
  } catch {
    return ''
  }
}
