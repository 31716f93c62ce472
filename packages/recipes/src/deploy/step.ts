import { isProblem, Problem, type CommandOptions, type CommandOutput, type Shell } from '@deployfile/core'

const MARK = 'deployfile: failed while '

// Steps travel as one script, because each round trip to a host costs more than most of them. `step` names what is being done, and
// the trap tells the name when it fails, after `leave`, which a script may define anew. The first line is what people are shown of it.
function wrap(title: string, text: string): string {
  return `# ${title}
doing='starting'
leave() { :; }
trap 'code=$?; leave; if [ "$code" -ne 0 ]; then printf "%s%s\\n" "${MARK}" "$doing" >&2; fi' EXIT
step() { doing=$1; }
refuse() { printf '%s\\n' "$1" >&2; exit 1; }
${text}`
}

/** What a script is for: shown while it runs, and the code of its failure. */
export interface Purpose {
  readonly title: string
  readonly code: string
  readonly hint?: string
  /** It changes nothing, and what it prints is for us. Default false. */
  readonly reads?: boolean
  /** What the script becomes at its end (`exec`), where no step can say that it failed: what it is for, and its text. */
  readonly last?: { readonly what: string; readonly command: string }
}

/**
 * Runs a script that names its steps (`step 'linking shared files'`), with every value as a positional parameter.
 * @throws Problem (task) `code` whose message says which step failed on which host, and why
 */
export async function runSteps(
  remote: Shell,
  purpose: Purpose,
  text: string,
  values: readonly string[],
  options: Pick<CommandOptions, 'cwd'> = {},
): Promise<CommandOutput> {
  const { title, reads = false } = purpose
  try {
    return await remote.script(wrap(title, text), values, { reads, ...options })
  } catch (error) {
    throw explain(error, remote.host.name, purpose)
  }
}

/** The same error with the step in its message; errors of connecting and cancelling stay as they are. */
function explain(error: unknown, host: string, purpose: Purpose): unknown {
  if (!isProblem(error) || error.code !== 'COMMAND_FAILED' || !error.details.command) return error
  const { output = [], ...command } = error.details.command
  const { last } = purpose
  const marked = command.tail.findLast((line) => line.startsWith(MARK))
  const tail = command.tail.filter((line) => !line.startsWith(MARK))
  // What a script that reads prints is an answer for us, and no news for people.
  const news = purpose.reads === true ? [] : output.filter(({ line }) => !line.startsWith(MARK))
  const why = tail.findLast((line) => line.trim() !== '') ?? endOf(command.exitCode, command.signal)
  return new Problem(
    'task',
    purpose.code,
    `${host}: ${marked?.slice(MARK.length) ?? last?.what ?? 'a step'} failed: ${why}`,
    {
      host,
      hint: purpose.hint,
      command: {
        ...command,
        ...(!marked && last && { text: last.command }),
        tail,
        ...(news.length > 0 && { output: news }),
      },
      cause: error,
    },
  )
}

function endOf(exitCode: number | null, signal: string | null): string {
  return signal === null ? `exit code ${String(exitCode)}` : `ended by ${signal}`
}
