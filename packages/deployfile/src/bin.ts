import { writeSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { main } from './cli/main.ts'
import { askOnTerminal, promptHiddenOnTerminal, promptOnTerminal } from './cli/prompt.ts'
import { isCi } from './cli/terminal.ts'

const COPIED = Symbol.for('deployfile.copy')
const marks = globalThis as unknown as { [COPIED]?: boolean }
const { env, stdin, stdout, stderr } = process

// `deployfile -T | head` closes the pipe, and a lost terminal gives EIO: neither may end a run that is in the middle of a release.
for (const stream of [stdout, stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error
  })
}

const canAsk = stdin.isTTY && stdout.isTTY && !isCi(env)

/** The project's own copy does the rest: it sets the exit code and ends by itself. */
async function runCopy(bin: string): Promise<number> {
  marks[COPIED] = true
  await import(pathToFileURL(bin).href)
  return Number(process.exitCode ?? 0)
}

const code = await main(process.argv.slice(2), {
  cwd: process.cwd(),
  env,
  stdout,
  stderr,
  signals: process,
  prompt: canAsk ? promptOnTerminal : undefined,
  askText: canAsk ? askOnTerminal : undefined,
  promptHidden: canAsk ? promptHiddenOnTerminal : undefined,
  lends: canAsk,
  // One that was handed to does not hand on.
  ...(marks[COPIED] !== true && { runCopy }),
  leave(status, message) {
    // A tree hides the cursor while it draws, and keeps process.stderr to itself.
    const cursor = stderr.isTTY ? '\u001b[?25h\n' : ''
    try {
      writeSync(2, cursor + message)
    } catch {
      // Nobody reads it any more.
    }
    process.exit(status)
  },
})

// Not process.exit at once: output to a pipe may still be on its way. When all is written, whatever a config left open (a timer, a
// socket) must not keep a finished command from ending.
process.exitCode = code
await Promise.all([stdout, stderr].map((stream) => new Promise((resolve) => stream.write('', resolve))))
setTimeout(() => process.exit(code), 500).unref()
