// Values that have been revealed in this process. Module state on purpose: a secret that was read anywhere must print nowhere.
const revealed = new Map<string, RegExp>()

// Shorter values stand in ordinary words ("dev", "1234" as a port): replacing them would garble every log.
const SHORTEST = 4

/** Remembers a value so that {@link redact} hides it from now on, also as base64, in a URL, and quoted for a shell. */
export function registerSecret(value: string): void {
  if (value.length < SHORTEST || revealed.has(value)) return
  const forms = new Set([
    value,
    encodeURIComponent(value),
    Buffer.from(value).toString('base64'),
    value.replaceAll("'", `'\\''`),
    JSON.stringify(value).slice(1, -1),
  ])
  // Longest first, so that a form which contains another is replaced whole.
  const pattern = [...forms]
    .sort((a, b) => b.length - a.length)
    .map(escapeRegExp)
    .join('|')
  revealed.set(value, new RegExp(pattern, 'g'))
}

/** The text with every revealed secret as `***`. Meant for whole lines: a value cut in two by a chunk border would pass. */
export function redact(text: string): string {
  let result = text
  for (const pattern of revealed.values()) result = result.replace(pattern, '***')
  return result
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
