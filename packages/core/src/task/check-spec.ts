import type { SourceLocation } from '../problem/location.ts'
import { Problem } from '../problem/problem.ts'
import { didYouMean } from '../problem/suggest.ts'
import { PACE_KEYS } from './pace.ts'
import type { ErasedSpec } from './task.ts'

const KEYS = [
  ...[
    'desc',
    'aliases',
    'effect',
    'onNoHost',
    'commits',
    'onResume',
    'needs',
    'input',
    'on',
    'when',
    'onError',
    'run',
    'preview',
    'undo',
    'finally',
    'doctor',
  ],
  ...PACE_KEYS,
]

// What is one task's own: its types are inferred from it, or it would mean the same for all.
const OWN_KEYS = ['aliases', 'needs', 'input', 'when', 'run', 'undo', 'finally', 'doctor']
export const SHARED_KEYS = KEYS.filter((key) => !OWN_KEYS.includes(key))

/** The keys of {@link TaskOptions}: what changes neither a task's types nor its place. */
export const TASK_OPTIONS: readonly string[] = SHARED_KEYS.filter((key) => key !== 'on' && key !== 'onError')

// A name is typed in a shell, stands in node ids (`name{input}@stage/host`) and beside key=value.
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]*(?::[A-Za-z0-9_][A-Za-z0-9_.-]*)*$/

export function checkName(name: string, location: SourceLocation | undefined): void {
  // `.start` and `.end` name the ends of a task that has hooks.
  if (!NAME.test(name) || /\.(start|end)$/.test(name)) {
    throw new Problem('usage', 'TASK_INVALID', `${JSON.stringify(name)} cannot be the name of a task`, {
      location,
      hint: 'Use words of letters, digits, _ . and -, joined by colons: assets:build.',
    })
  }
}

/** @throws Problem `TASK_INVALID` (usage) about the first key that `what` cannot have */
export function checkKeys(
  what: string,
  spec: object,
  known: readonly string[],
  location: SourceLocation | undefined,
): void {
  const unknown = Object.keys(spec).find((key) => !known.includes(key))
  if (unknown === undefined) return
  throw new Problem('usage', 'TASK_INVALID', `${what} has the unknown key '${unknown}'`, {
    location,
    key: unknown,
    hint: didYouMean(unknown, known) ?? `It may have: ${known.join(', ')}.`,
  })
}

export function checkAliases(name: string, aliases: unknown, location: SourceLocation | undefined): void {
  if (aliases === undefined) return
  if (!Array.isArray(aliases) || !aliases.every((alias) => typeof alias === 'string')) {
    throw new Problem('usage', 'TASK_INVALID', `the aliases of the task '${name}' are no list of names`, {
      location,
      key: 'aliases',
      hint: "Write aliases: ['other:name'].",
    })
  }
  for (const alias of aliases) checkName(alias, location)
}

/** @throws Problem `TASK_INVALID` (usage) about the first thing that no task can be */
export function checkSpec(name: string, spec: object, location: SourceLocation | undefined): void {
  checkName(name, location)
  const keys = Object.keys(spec)
  checkKeys(`the task '${name}'`, spec, KEYS, location)
  checkAliases(name, (spec as Partial<ErasedSpec>).aliases, location)
  if (typeof (spec as { run?: unknown }).run !== 'function') {
    throw new Problem('usage', 'TASK_INVALID', `the task '${name}' has no run function`, {
      location,
      hint: `Give it one, or use group('${name}', { … }) for a task that only gathers others.`,
    })
  }
  const { preview } = spec as Partial<ErasedSpec>
  if (preview !== undefined && preview !== (true as unknown) && typeof preview !== 'function') {
    throw new Problem(
      'usage',
      'TASK_INVALID',
      `preview of the task '${name}' is ${JSON.stringify(preview)}`,
      {
        location,
        key: 'preview',
        hint: 'Write preview: true, where a dry run may enter run, or a function that gives the same result.',
      },
    )
  }
  // The type of `undo`'s result is inferred from `run`, which the compiler must have read first.
  if (keys.includes('undo') && keys.indexOf('undo') < keys.indexOf('run')) {
    throw new Problem('usage', 'TASK_INVALID', `in the task '${name}', undo stands above run`, {
      location,
      key: 'undo',
      hint: 'Move it below run.',
    })
  }
}
