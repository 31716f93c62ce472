import type { AskHidden } from '../port/question.ts'
import { Problem } from '../problem/problem.ts'
import { registerSecret } from './redact.ts'
import { registry } from './registry.ts'
import type { Secret } from './secret.ts'
import { fromEnvironment, missing, PROMPT, variableOf } from './sources.ts'

/**
 * The plain value, for the moment of use. Pass it on by standard input or a 0600 file, never in argv: the shells' options `secrets` and
 * `input` do that. A file is read, a command run and a person asked once in a process.
 * @throws Problem `SECRET_MISSING` (check) naming what is not set
 */
export function reveal(secret: Secret): string {
  const read = registry.readers.get(secret)
  if (!read)
    throw new Problem('usage', 'SECRET_FOREIGN', `the secret ${secret.name} was not made by secret.…`)
  const value = read()
  registerSecret(value)
  return value
}

/**
 * As {@link reveal}, for those who can wait: where the program has a way to ask that does not stop everything else, a prompt takes it.
 * Several who wait for one secret get the one answer.
 * @throws Problem `SECRET_MISSING` (check), also when the person gave up
 */
export async function openSecret(secret: Secret): Promise<string> {
  const { name } = secret
  const { ask } = registry
  const label = name.startsWith(PROMPT) ? name.slice(PROMPT.length) : undefined
  if (
    ask &&
    label !== undefined &&
    !registry.read.has(name) &&
    fromEnvironment(variableOf(label)) === undefined
  ) {
    const asked = registry.asking.get(name) ?? answered(name, label, ask)
    registry.asking.set(name, asked)
    try {
      await asked
    } finally {
      registry.asking.delete(name)
    }
  }
  return reveal(secret)
}

async function answered(name: string, label: string, ask: AskHidden): Promise<string> {
  const answer = await ask({ message: label })
  if (answer === undefined || answer === '')
    throw missing(`nobody gave the ${label}`, `Set ${variableOf(label)} where nobody can be asked.`)
  registry.read.set(name, answer)
  return answer
}
