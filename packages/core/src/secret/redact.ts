import { formsOf } from './forms.ts'
import { registry } from './registry.ts'

/** Remembers a value so that {@link redact} hides it from now on, also as base64, in a URL, and quoted for a shell. */
export function registerSecret(value: string): void {
  if (registry.forms.has(value)) return
  for (const form of formsOf(value)) registry.forms.add(form)
}

/** The text with every revealed secret as `***`. For a text in pieces see {@link createRedactor}. */
export function redact(text: string): string {
  return registry.forms.size === 0 ? text : hide(text, covered(text, 0))
}

/** Redacts a text that comes in pieces, whatever the cuts. */
export interface Redactor {
  /** What can be said of it already; the rest may be the beginning of a secret. */
  add(text: string): string
  /** What was held back. */
  end(): string
}

/**
 * The pieces that it gives, put together, are what {@link redact} makes of the whole. It holds back only what a secret begins with, so
 * that a line without one is given at once; at most as much as the longest secret has.
 */
export function createRedactor(): Redactor {
  let held = ''
  // So many characters at its start belong to a secret whose `***` was given already; they still count where the next one overlaps.
  let done = 0
  return {
    add(text) {
      if (registry.forms.size === 0 && held === '') return text
      held += text
      const spans = covered(held, done)
      const safe = held.length - openEnd(held)
      const given = hide(held.slice(0, safe), spans, done > 0)
      const across = spans.find(([start, end]) => end > safe && (start < safe || (start === 0 && done > 0)))
      done = across ? across[1] - safe : 0
      held = held.slice(safe)
      return given
    },
    end() {
      const rest = hide(held, covered(held, done), done > 0)
      held = ''
      done = 0
      return rest
    },
  }
}

type Span = [start: number, end: number]

/** Where secrets are, in order; those that overlap are one. The first `done` characters are one from the start. */
function covered(text: string, done: number): Span[] {
  const found: Span[] = done > 0 ? [[0, done]] : []
  for (const form of registry.forms) {
    for (let at = text.indexOf(form); at !== -1; at = text.indexOf(form, at + 1))
      found.push([at, at + form.length])
  }
  found.sort(([a], [b]) => a - b)
  const spans: Span[] = []
  for (const [start, end] of found) {
    const last = spans.at(-1)
    if (last && start < last[1]) last[1] = Math.max(last[1], end)
    else spans.push([start, end])
  }
  return spans
}

/** `told`: the `***` of a span at the very start was given with the piece before. */
function hide(text: string, spans: readonly Span[], told = false): string {
  let result = ''
  let at = 0
  for (const [start, end] of spans) {
    if (start >= text.length) break
    result += text.slice(at, start)
    if (!(told && start === 0)) result += '***'
    at = end
  }
  return result + text.slice(at)
}

/** How many characters at the end of the text a secret could begin with. */
function openEnd(text: string): number {
  let open = 0
  for (const form of registry.forms) {
    const from = Math.max(0, text.length - form.length + 1)
    for (let at = text.indexOf(form[0] ?? '', from); at !== -1; at = text.indexOf(form[0] ?? '', at + 1)) {
      if (text.length - at <= open) break
      if (form.startsWith(text.slice(at))) {
        open = text.length - at
        break
      }
    }
  }
  return open
}
