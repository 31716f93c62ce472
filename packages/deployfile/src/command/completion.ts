import { inputFields, Problem, type AnyTask, type Catalog } from '@deployfile/core'
import { COMMAND_NAMES } from '../cli/command-names.ts'
import { wordsOf, type Given } from './given.ts'
import { optionNames, optionValues } from '../cli/options.ts'
import { print } from '../cli/terminal.ts'
import { completionScript, SHELLS } from './completion-script.ts'

const HELP = `Usage: deployfile completion bash|zsh|fish

Prints what makes a shell complete stages, tasks, inputs, hosts, roles and options. The words come from the config of the
folder in which they are typed.

  bash:  echo 'eval "$(npx deployfile completion bash)"' >> ~/.bashrc
  zsh:   echo 'eval "$(npx deployfile completion zsh)"' >> ~/.zshrc     (after compinit)
  fish:  npx deployfile completion fish > ~/.config/fish/completions/deployfile.fish
`

/** A word that may stand next, and what it is. */
export interface Candidate {
  readonly word: string
  readonly about: string
}

/** `completion SHELL`, and `completion words -- …`, which the scripts ask for the words that fit. */
export async function completionCommand(given: Given): Promise<number> {
  const { line, terminal } = given
  const [what, ...more] = wordsOf('completion', line.words).after
  if (line.help || line.words[0] === 'help') {
    terminal.stdout.write(HELP)
    return 0
  }
  if (what === 'words') {
    const found = candidates(await quietly(given), line.rest ?? [])
    if (found.length > 0)
      print(
        terminal,
        found.map(({ word, about }) => `${word}\t${about}`),
      )
    return 0
  }
  const [extra] = more
  if (what === undefined || extra !== undefined || !(SHELLS as readonly string[]).includes(what)) {
    const said =
      what === undefined ? 'no shell was named' : `there is no completion for '${[what, ...more].join(' ')}'`
    throw new Problem('usage', 'SHELL_UNKNOWN', said, {
      hint: 'Write deployfile completion bash, zsh or fish.',
    })
  }
  terminal.stdout.write(completionScript(what as (typeof SHELLS)[number]))
  return 0
}

/** Somebody is in the middle of typing: where the config cannot be read, options and commands are completed all the same. */
async function quietly({ open }: Given): Promise<Catalog | undefined> {
  try {
    return (await open()).catalog
  } catch {
    return undefined
  }
}

/** What may stand in place of the last of the words, which may be empty. */
export function candidates(catalog: Catalog | undefined, words: readonly string[]): readonly Candidate[] {
  const last = words.at(-1) ?? ''
  const before = words.slice(0, -1)
  const fit = (all: readonly Candidate[], from = last): readonly Candidate[] =>
    all.filter(({ word }) => word.startsWith(from))
  const previous = before.at(-1) ?? ''
  const lists = listCandidates(catalog, previous)
  if (lists) {
    // The part after the last comma; what stands before it stays.
    const head = last.slice(0, last.lastIndexOf(',') + 1)
    return fit(lists.map(({ word, about }) => ({ word: head + word, about })))
  }
  const values = optionValues(previous)
  if (values.length > 0) return fit(values.map((word) => ({ word, about: '' })))
  const named = before.flatMap((word) => catalog?.tasks.get(catalog.aliases.get(word) ?? word) ?? [])
  const [, key] = /^([^=]+)=/.exec(last) ?? []
  if (key !== undefined) return fit(valuesOfKey(catalog, named, key))
  if (last.startsWith('-'))
    return fit([...optionNames().map((word) => ({ word, about: '' })), ...switches(named)])
  const hosts = catalog && previous === 'ssh' ? hostsOf(catalog) : undefined
  if (hosts) return fit(hosts)
  return fit([
    ...(before.length === 0 ? stagesOf(catalog) : []),
    ...tasksOf(catalog),
    ...keysOf(named),
    ...(before.length <= 1 && named.length === 0
      ? COMMAND_NAMES.map((word) => ({ word, about: 'a command' }))
      : []),
  ])
}

function listCandidates(catalog: Catalog | undefined, option: string): readonly Candidate[] | undefined {
  if (option === '-z' || option === '--hosts') return catalog ? hostsOf(catalog) : []
  if (option === '-r' || option === '--roles') return catalog ? rolesOf(catalog) : []
  return option === '--skip' ? tasksOf(catalog) : undefined
}

function stagesOf(catalog: Catalog | undefined): readonly Candidate[] {
  return [...(catalog?.stages.keys() ?? [])].map((word) => ({ word, about: 'a stage' }))
}

function tasksOf(catalog: Catalog | undefined): readonly Candidate[] {
  return [...(catalog?.tasks.values() ?? [])]
    .filter(({ desc }) => desc !== undefined)
    .map(({ name, desc = '' }) => ({ word: name, about: desc.split('\n', 1)[0] ?? '' }))
}

function hostsOf({ stages }: Catalog): readonly Candidate[] {
  const hosts = new Map<string, string[]>()
  for (const [stage, entry] of stages) {
    for (const { name } of entry.hosts) hosts.set(name, [...(hosts.get(name) ?? []), stage])
  }
  return [...hosts].map(([word, of]) => ({ word, about: `a host of ${of.join(', ')}` }))
}

function rolesOf({ stages }: Catalog): readonly Candidate[] {
  const roles = [...stages.values()].flatMap(({ hosts }) => hosts.flatMap((host) => host.roles))
  return [...new Set(roles)].map((word) => ({ word, about: 'a role' }))
}

function keysOf(tasks: readonly AnyTask[]): readonly Candidate[] {
  return tasks.flatMap((task) =>
    inputFields(task).map(({ key, description = '' }) => ({ word: `${key}=`, about: description })),
  )
}

function switches(tasks: readonly AnyTask[]): readonly Candidate[] {
  return tasks.flatMap((task) =>
    inputFields(task).map(({ key, description = '' }) => ({ word: `--${key}`, about: description })),
  )
}

function valuesOfKey(
  catalog: Catalog | undefined,
  tasks: readonly AnyTask[],
  key: string,
): readonly Candidate[] {
  if (key === 'stage') return stagesOf(catalog).map(({ word, about }) => ({ word: `stage=${word}`, about }))
  const fields = tasks.flatMap((task) => inputFields(task)).filter((field) => field.key === key)
  return fields.flatMap(({ values }) => values.map((value) => ({ word: `${key}=${value}`, about: '' })))
}
