/** `a, b and c`; of many the first ones, and how many more. */
export function listed(items: readonly string[], most = 4): string {
  // "and 1 more" is no shorter than its name.
  const shown = items.length > most + 1 ? items.slice(0, most) : items.slice(0, -1)
  const last = items.length > most + 1 ? `${String(items.length - most)} more` : items.at(-1)
  return shown.length === 0 ? (last ?? '') : `${shown.join(', ')} and ${last ?? ''}`
}
