import type { AskHidden } from '../port/question.ts'
import type { SecretReader } from '../port/secret-reader.ts'
import type { Secret } from './secret.ts'

/** What a process knows of its secrets. */
interface Registry {
  /** How to read a secret; kept here and not in it, so that nothing that prints the object can print the value. */
  readonly readers: WeakMap<Secret, () => string>
  /** By name, for one that comes back from a journal. */
  readonly named: Map<string, Secret>
  /** What files, commands and prompts gave: a person is asked once. */
  readonly read: Map<string, string>
  /** Every text that must not be printed. */
  readonly forms: Set<string>
  reader: SecretReader | undefined
  ask: AskHidden | undefined
  /** Questions that nobody has answered yet, by name: several may wait for one answer. */
  readonly asking: Map<string, Promise<string>>
}

const KEY = Symbol.for('deployfile.secrets')

// On globalThis and not in this module: two copies of the package may meet (the program's and the project's), and what was revealed
// through one must not be printed by the other.
const holder = globalThis as unknown as Record<symbol, Registry | undefined>

export const registry: Registry = (holder[KEY] ??= {
  readers: new WeakMap(),
  named: new Map(),
  read: new Map(),
  forms: new Set(),
  reader: undefined,
  ask: undefined,
  asking: new Map(),
})

/**
 * From now on this one reads for the whole process; the last one given counts.
 * @param ask is asked in place of the reader's `prompt` by those who can wait, see `openSecret`
 */
export function provideSecretReader(reader: SecretReader, ask?: AskHidden): void {
  registry.reader = reader
  registry.ask = ask
}
