import {
  didYouMean,
  nearest,
  nearestTask,
  Problem,
  quoteTask,
  taskNamed,
  type Catalog,
} from '@deployfile/core'
import { printable } from '../render/style.ts'
import { optionNames } from './options.ts'
import { inputKeys } from './input-keys.ts'

/** What the words of a command line ask for. */
export interface Request {
  readonly stage: string | undefined
  readonly tasks: readonly string[]
  readonly inputs: Readonly<Record<string, string>>
  /** `confirm=NAME`: the answer to the question that the run will ask. */
  readonly confirm: string | undefined
}

const PAIR = /^([A-Za-z_][\w.:-]*)=([^]*)$/

/**
 * Sorts `[stage] task… key=value… --key value` by what the config knows; what stands after `--` is a word, whatever it looks like.
 * @throws Problem (usage) `WORD_UNKNOWN`, `OPTION_UNKNOWN`, `STAGE_TWICE`, `INPUT_TWICE`, `INPUT_WITHOUT_VALUE`
 */
export function readWords(catalog: Catalog, words: readonly string[], rest: readonly string[] = []): Request {
  const { names, pairs } = split(catalog, words, rest)
  const [first] = names
  const named = first !== undefined && catalog.stages.has(first) ? first : undefined
  const tasks = named === undefined ? names : names.slice(1)
  for (const [index, name] of tasks.entries()) {
    if (taskNamed(catalog, name)) continue
    if (catalog.stages.has(name)) throw stageNotFirst(name, tasks, named)
    throw unknownWord(catalog, name, index === 0 && named === undefined)
  }
  const { stage: keyed, confirm, ...inputs } = pairs
  if (keyed !== undefined && !catalog.stages.has(keyed)) throw unknownStage(catalog, keyed)
  if (named !== undefined && keyed !== undefined && named !== keyed) {
    throw new Problem(
      'usage',
      'STAGE_TWICE',
      `the stage is '${named}' by the first word and '${keyed}' by stage=${keyed}`,
      {
        hint: 'Name one of them.',
      },
    )
  }
  const ownNames = tasks.map((name) => taskNamed(catalog, name)?.name ?? name)
  return { stage: named ?? keyed, tasks: ownNames, inputs, confirm }
}

function split(
  catalog: Catalog,
  words: readonly string[],
  rest: readonly string[],
): { names: string[]; pairs: Record<string, string> } {
  const names: string[] = []
  const pairs: Record<string, string> = {}
  const keys = inputKeys(catalog)
  const put = (key: string, value: string): void => {
    if (pairs[key] !== undefined && pairs[key] !== value) {
      throw new Problem(
        'usage',
        'INPUT_TWICE',
        `${key} is given twice, as '${pairs[key]}' and as '${value}'`,
        { hint: 'Give it once.' },
      )
    }
    pairs[key] = value
  }
  const plain = (word: string): void => {
    const pair = PAIR.exec(word)
    if (pair?.[1] === undefined) names.push(word)
    else put(pair[1], pair[2] ?? '')
  }
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? ''
    const pair = PAIR.exec(word.startsWith('--') ? word.slice(2) : word)
    if (!word.startsWith('-')) {
      plain(word)
      continue
    }
    const key = word.startsWith('--') ? (pair?.[1] ?? word.slice(2)) : ''
    const kind = keys.get(key)
    const negated = key.startsWith('no-') && !pair ? key.slice(3) : ''
    if (kind === undefined && keys.get(negated) === 'switch') {
      put(negated, 'false')
      continue
    }
    if (kind === undefined) throw unknownOption(word.split('=', 1)[0] ?? word, keys)
    if (pair) {
      put(key, pair[2] ?? '')
      continue
    }
    const next = words[index + 1]
    if (kind === 'switch' && next !== 'true' && next !== 'false') {
      put(key, 'true')
      continue
    }
    if (next === undefined || next.startsWith('-')) {
      throw new Problem('usage', 'INPUT_WITHOUT_VALUE', `--${key} has no value`, {
        hint: `Write ${key}=… or --${key} ….`,
      })
    }
    put(key, next)
    index++
  }
  for (const word of rest) plain(word)
  return { names, pairs }
}

function unknownOption(word: string, keys: ReadonlyMap<string, unknown>): Problem {
  const known = [...optionNames(), ...[...keys.keys()].map((key) => `--${key}`)]
  const guess = word.startsWith('--') ? didYouMean(word, known) : undefined
  return new Problem('usage', 'OPTION_UNKNOWN', `unknown option '${word}'`, {
    hint: [guess, 'deployfile --help lists the options.'].filter(Boolean).join(' '),
  })
}

function stageNotFirst(name: string, tasks: readonly string[], named: string | undefined): Problem {
  const rest = tasks.filter((task) => task !== name).join(' ')
  const hint =
    named === undefined
      ? `The stage goes first: deployfile ${name} ${rest}`
      : `A run has one stage, and that is '${named}' already: run deployfile ${name} ${rest} after it.`
  return new Problem('usage', 'WORD_UNKNOWN', `there is no task '${name}'`, { hint })
}

function unknownStage(catalog: Catalog, name: string): Problem {
  const guess = didYouMean(begunBy(name, catalog.stages.keys()) ?? name, catalog.stages.keys())
  return new Problem('usage', 'STAGE_UNKNOWN', `there is no stage '${name}'`, {
    hint: [guess, `The stages are ${[...catalog.stages.keys()].join(', ')}.`].filter(Boolean).join(' '),
  })
}

/** The one name that a word is the beginning of: `prod` for production. */
function begunBy(word: string, names: Iterable<string>): string | undefined {
  const found = [...names].filter((name) => word.length > 1 && name.startsWith(word))
  return found.length === 1 ? found[0] : undefined
}

/** The first word may be either; a guess says which of the two it is. */
function unknownWord(catalog: Catalog, name: string, mayBeStage: boolean): Problem {
  const list = `deployfile -T lists the tasks${mayBeStage ? `; the stages are ${[...catalog.stages.keys()].join(', ')}` : ''}.`
  const task = nearestTask(catalog, name)
  const stages = [...catalog.stages.keys()]
  const stage = mayBeStage ? (begunBy(name, stages) ?? nearest(name, stages)) : undefined
  const both =
    stage !== undefined && task !== undefined ? (nearest(name, [stage, task]) ?? stage) : (stage ?? task)
  const guess =
    both === undefined
      ? undefined
      : `Did you mean the ${both === stage ? `stage '${both}'` : `task ${quoteTask(catalog, both)}`}?`
  const said = printable(JSON.stringify(name).slice(1, -1).replaceAll('\\"', '"'))
  const message = mayBeStage ? `'${said}' is neither a stage nor a task` : `there is no task '${said}'`
  const inside = name !== '' && [...catalog.tasks.keys()].some((known) => known.startsWith(`${name}:`))
  const family = inside ? `Several begin with '${name}:'.` : undefined
  return new Problem('usage', 'WORD_UNKNOWN', message, {
    hint: [guess ?? family, list].filter(Boolean).join(' '),
  })
}
