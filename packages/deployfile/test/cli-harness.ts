import { spawn, type ChildProcess } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished } from 'vitest'
import { main } from '../src/cli/main.ts'
// What a command loads when it needs it is loaded here once, so that no test pays for the compiler of the tests.
import '../src/cli/with-config.ts'
import '../src/cli/start.ts'
import '../src/config/import-by-jiti.ts'
import '../src/config/own-zod.ts'
import '../src/index.ts'
import '../src/recipes.ts'
import type { AskText, Terminal } from '../src/cli/terminal.ts'

const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url))
const CHILD = fileURLToPath(new URL('./cli-child.mjs', import.meta.url))

/** What a command left behind, with everything that differs from run to run replaced. */
export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  readonly root: string
}

export interface Running {
  readonly child: ChildProcess
  /** Resolves when the text has been printed. */
  printed(text: string): Promise<void>
  ended(): Promise<Ended>
}

/**
 * A command line in a folder of its own, in the manner of the tests of casey/just: say what is there, what is typed, and compare the
 * whole output.
 *
 *     await cli().config('…').args('-T').ends(0, 'deployfile deploy  # …\n')
 */
export class Cli {
  readonly root = mkdtempSync(path.join(tmpdir(), 'deployfile-cli-'))
  readonly signals = new EventEmitter()
  #args: readonly string[] = []
  #env: NodeJS.ProcessEnv = { PATH: process.env['PATH'], HOME: this.root, TERM: 'xterm', GITHUB_ACTOR: 'jan' }
  #answer: string | undefined
  #typed: string[] | undefined
  /** Of the terminal; undefined where there is none. */
  #columns: number | undefined
  #stdout = ''
  #stderr = ''
  #ended: Promise<Ended> | undefined

  constructor() {
    symlinkSync(path.join(REPOSITORY, 'node_modules'), path.join(this.root, 'node_modules'))
    mkdirSync(path.join(this.root, '.git'))
    onTestFinished(() => rmSync(this.root, { recursive: true, force: true }))
  }

  /** node_modules that are a folder of its own, not a link to ours: what is kept there is this project's. */
  modules(): this {
    const modules = path.join(this.root, 'node_modules')
    rmSync(modules)
    mkdirSync(modules)
    for (const name of ['deployfile', 'zod']) {
      symlinkSync(path.join(REPOSITORY, 'node_modules', name), path.join(modules, name))
    }
    return this
  }

  file(name: string, text: string): this {
    mkdirSync(path.dirname(path.join(this.root, name)), { recursive: true })
    writeFileSync(path.join(this.root, name), text)
    return this
  }

  /** deploy.config.ts, with the usual imports on its first line. */
  config(text: string): this {
    const names = 'all, defineConfig, group, optional, perStage, secret, task, where'
    return this.file(
      'deploy.config.ts',
      `import { ${names} } from 'deployfile'; import * as z from 'zod'\n${text}`,
    )
  }

  args(...args: readonly string[]): this {
    this.#args = args
    return this
  }

  /** The next command in the same folder. */
  next(...args: readonly string[]): this {
    this.#ended = undefined
    this.#stdout = ''
    this.#stderr = ''
    return this.args(...args)
  }

  env(env: NodeJS.ProcessEnv): this {
    Object.assign(this.#env, env)
    return this
  }

  /** Whoever is asked types this. */
  answers(text: string | undefined): this {
    this.#answer = text
    return this
  }

  /** What is typed where a line of text is asked for, one after the other; an empty one takes what is there. */
  types(...lines: readonly string[]): this {
    this.#typed = [...lines]
    return this
  }

  terminal(columns = 80): this {
    this.#columns = columns
    return this
  }

  /** Runs main() in this process, once. */
  run(): Promise<Ended> {
    this.#ended ??= this.#run()
    return this.#ended
  }

  /** All at once: exit code, stdout, stderr. */
  async ends(code: number, stdout: string, stderr = ''): Promise<Ended> {
    const ended = await this.run()
    expect({ stdout: ended.stdout, stderr: ended.stderr, code: ended.code }).toEqual({ stdout, stderr, code })
    return ended
  }

  async #run(): Promise<Ended> {
    const { root } = this
    const terminal: Terminal = {
      cwd: root,
      env: this.#env,
      stdout: {
        write: (text: string) => (this.#stdout += text),
        ...(this.#columns !== undefined && { isTTY: true, columns: this.#columns, rows: 24 }),
      },
      stderr: { write: (text: string) => (this.#stderr += text) },
      signals: this.signals,
      prompt: this.#answer === undefined ? undefined : () => Promise.resolve(this.#answer),
      ...(this.#typed && { askText: (...question) => Promise.resolve(this.#asked(...question)) }),
      leave: (code) => {
        throw new Error(`left with ${String(code)}`)
      },
    }
    const code = await main(this.#args, terminal)
    return { code, stdout: neutral(this.#stdout, root), stderr: neutral(this.#stderr, root), root }
  }

  #asked(...[message, preset, faultOf]: Parameters<AskText>): string | undefined {
    this.#stdout += `? ${message}${preset === undefined ? '' : ` [${preset}]`}\n`
    for (let line = this.#typed?.shift(); line !== undefined; line = this.#typed?.shift()) {
      const typed = line === '' ? (preset ?? '') : line
      const fault = faultOf(typed)
      this.#stdout += fault === undefined ? `> ${typed}\n` : `> ${typed}\n! ${fault}\n`
      if (fault === undefined) return typed
    }
    return undefined
  }

  /** The same as a process of its own, for signals and pipes; `before`: what a shell does first, such as to set a limit. */
  spawn({ before = ':' }: { readonly before?: string } = {}): Running {
    const command = ['-c', `${before}; exec "$@"`, 'sh', process.execPath, CHILD, ...this.#args]
    const child = spawn('sh', command, {
      cwd: this.root,
      env: this.#env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    const text = { stdout: '', stderr: '' }
    child.stdout.on('data', (chunk: Buffer) => (text.stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (text.stderr += chunk.toString()))
    const closed = once(child, 'close')
    return {
      child,
      async printed(wanted) {
        while (!text.stdout.includes(wanted)) {
          const more = await Promise.race([once(child.stdout, 'data'), closed])
          if (more.length === 2)
            throw new Error(`it ended without printing '${wanted}':\n${text.stdout}${text.stderr}`)
        }
      },
      ended: async () => {
        const [code] = (await closed) as [number]
        return {
          code,
          stdout: neutral(text.stdout, this.root),
          stderr: neutral(text.stderr, this.root),
          root: this.root,
        }
      },
    }
  }
}

export function cli(): Cli {
  return new Cli()
}

function neutral(text: string, root: string): string {
  return text
    .replaceAll(root, '<root>')
    .replace(/\d{8}T\d{9}Z-[0-9a-f]{4}/g, '<run>')
    .replace(/\b\d+(?:\.\d+)?s\b/g, '0.00s')
    .replace(/^\d\d:\d\d(?= )/gm, '00:00')
}
