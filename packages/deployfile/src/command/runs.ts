import path from 'node:path'
import { Problem } from '@deployfile/core'
import { didYouMean } from '@deployfile/core'
import { wordsOf, type Given } from './given.ts'
import { printDocument } from '../cli/terminal.ts'
import { findRun } from '../run/past-runs.ts'
import { readConfirm, takeUpRun } from './resume.ts'

const WORDS = ['list', 'show', 'log', 'undo', 'prune']
const HINT = 'deployfile runs --help says what it takes.'

const HELP = `Usage: deployfile runs [list | show RUN | log RUN | undo RUN | prune] [options]

The runs of this project, kept in .deployfile/runs beside the config. RUN is an id, or how one begins; without it the last one.

  runs                     the last 20, the newest first; all=true for all of them
  runs show [RUN]          what it was to do, how each task ended, and what went wrong
  runs log [RUN]           every command with its output, in order
  runs undo RUN            undo what is left of a run that was killed, or failed with --undo off
  runs prune               delete old ones: keep=50 runs, and those of the last days=30 days. Runs that are running, or
                           that can still be resumed or undone, stay

With --json, list, show and prune are one JSON document, log is one event a line.
`

/** `runs …`. Returns the exit code. */
export async function runsCommand(given: Given): Promise<number> {
  const { line, terminal } = given
  const { after } = wordsOf('runs', line.words)
  const [word = 'list', ...more] = after
  if (line.help || line.words[0] === 'help') {
    terminal.stdout.write(HELP)
    return 0
  }
  if (!WORDS.includes(word)) throw unknown(word, didYouMean(word, WORDS))
  const root = path.dirname(await given.find())
  if (word === 'undo') return undoCommand(given, more)
  if (word === 'list') return list(given, root, more)
  if (word === 'prune') {
    const { pruneCommand } = await import('./prune-runs.ts')
    return pruneCommand(given, root, more)
  }
  const [id, ...rest] = more
  if (rest.length > 0) throw unknown(rest.join(' '))
  const run = findRun(root, id)
  const { logLines, showRunFacts, showRunLines } = await import('./show-run.ts')
  if (word === 'log') {
    await logLines(root, run, line.json, terminal)
    return 0
  }
  const facts = await showRunFacts(root, run)
  return printDocument(terminal, line, facts, (view) => showRunLines(facts, view))
}

async function list({ line, terminal }: Given, root: string, more: readonly string[]): Promise<number> {
  const all = more.includes('all=true') || line.all
  const others = more.filter((word) => word !== 'all=true')
  if (others.length > 0) throw unknown(others.join(' '))
  const { listRuns, runLines } = await import('./list-runs.ts')
  const found = listRuns(root, all ? Infinity : undefined)
  return printDocument(terminal, line, found, ({ columns }) => runLines(found, columns))
}

async function undoCommand({ line, terminal, open }: Given, words: readonly string[]): Promise<number> {
  const { confirm, others } = readConfirm(words)
  const [id, ...more] = others
  if (id === undefined) {
    throw new Problem('usage', 'RUN_MISSING', 'no run was named', {
      hint: 'Say which: deployfile runs undo RUN. deployfile runs lists them.',
    })
  }
  if (more.length > 0) throw unknown(more.join(' '))
  return takeUpRun({ mode: 'undo', id }, { place: await open(), line, confirm, terminal })
}

function unknown(word: string, guess?: string): Problem {
  return new Problem('usage', 'WORD_UNKNOWN', `'runs' does not know '${word}'`, {
    hint: [guess, HINT].filter(Boolean).join(' '),
  })
}
