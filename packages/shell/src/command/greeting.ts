/** What a command's own sh says first. */
export interface Greeting {
  readonly pid: number
  /** Its session on Linux, else undefined. */
  readonly session: string | undefined
  /** The login shell. */
  readonly shell: string
}

/** Tells what a command prints from what is printed before it runs: by a login shell's profile, or by sudo. */
export interface Opening {
  /** What of a chunk of a stream is the command's. */
  stdout(chunk: Buffer): Buffer
  stderr(chunk: Buffer): Buffer
  /** What was held back of standard error until the command had spoken; for its end. */
  rest(): Buffer
  readonly greeting: Greeting | undefined
  /** How often the password was asked for. */
  readonly prompts: number
  /** What was said in place of a greeting: lines, the last 20. */
  said(): readonly string[]
}

export interface OpeningParts {
  readonly mark: string
  /** What sudo asks with; undefined without sudo. */
  readonly prompt: string | undefined
  /** Both are told of once, or once for each prompt. */
  readonly greeted: (greeting: Greeting) => void
  readonly prompted: (times: number) => void
}

/** A login shell that says more than this before a command is not waited for with all of it in memory. */
const KEPT = 64 * 1024

export function createOpening({ mark, prompt, greeted, prompted }: OpeningParts): Opening {
  const nothing: Buffer = Buffer.alloc(0)
  let greeting: Greeting | undefined
  let before = nothing
  // With sudo both are one story until the command speaks; without it the login's standard error is shown as it comes.
  let errors = nothing
  let heldBack = nothing
  let prompts = 0

  const ask = (text: Buffer): Buffer => {
    if (prompt === undefined) return text
    let rest = text
    for (let at = rest.indexOf(prompt); at !== -1; at = rest.indexOf(prompt)) {
      rest = rest.subarray(at + prompt.length)
      prompted(++prompts)
    }
    return rest
  }
  const keep = (bytes: Buffer): Buffer => (bytes.length > KEPT ? bytes.subarray(-KEPT) : bytes)

  return {
    stdout(chunk) {
      if (greeting) return chunk
      before = keep(Buffer.concat([before, chunk]))
      const at = before.indexOf(mark)
      const end = at === -1 ? -1 : before.indexOf('\n', at)
      if (end === -1) {
        if (at === -1) before = ask(before)
        return nothing
      }
      greeting = parse(before.subarray(at, end).toString())
      greeted(greeting)
      return before.subarray(end + 1)
    },
    stderr(chunk) {
      if (prompt === undefined) {
        if (!greeting) errors = keep(Buffer.concat([errors, chunk]))
        return chunk
      }
      if (greeting) {
        const all = heldBack.length > 0 ? Buffer.concat([heldBack, chunk]) : chunk
        heldBack = nothing
        return all
      }
      errors = keep(Buffer.concat([errors, chunk]))
      heldBack = ask(keep(Buffer.concat([heldBack, chunk])))
      return nothing
    },
    rest: () => (greeting ? heldBack : nothing),
    get greeting() {
      return greeting
    },
    get prompts() {
      return prompts
    },
    said() {
      const text = `${before.toString()}\n${errors.toString()}`
      const plain = prompt === undefined ? text : text.replaceAll(prompt, '')
      return plain
        .split(/\r?\n/)
        .map((line) => line.trim())
        .filter((line) => line !== '')
        .slice(-20)
    },
  }
}

/** `mark pid session shell`; the session may be missing, the shell may have blanks. */
function parse(line: string): Greeting {
  const [, pid = '', session = '', shell = ''] = /^\S+ (\d+) (\d*) (.*?)\r?$/.exec(line) ?? []
  return { pid: Number(pid), session: session === '' ? undefined : session, shell }
}
