/**
 * The nearest known name, for "did you mean". Undefined when nothing is near: a wild guess costs more than none.
 * At most a third of the letters may differ (one in short words), a swap of two neighbours counts as one; of two letters none may,
 * nor be missing: `d` is no more `db` than anything else.
 */
export function nearest(word: string, names: Iterable<string>): string | undefined {
  const known = [...names]
  let best: string | undefined
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1
  for (const name of known) {
    const distance = name.toLowerCase() === word.toLowerCase() ? 0 : editDistance(word, name)
    const most = Math.floor(Math.max(word.length, name.length) / 3)
    if (distance < bestDistance && distance <= most) {
      best = name
      bestDistance = distance
    }
  }
  // `migrations` for `deploy:migrations`: people leave the prefix out more often than they mistype it.
  if (best === undefined && word.length > 2) {
    const tails = known.filter((name) => name.endsWith(`:${word}`))
    if (tails.length === 1) best = tails[0]
  }
  return best
}

/** A ready sentence part: ` Did you mean 'deploy'?` or the empty string. */
export function didYouMean(word: string, known: Iterable<string>): string | undefined {
  const name = nearest(word, known)
  return name === undefined ? undefined : `Did you mean '${name}'?`
}

// Damerau-Levenshtein (optimal string alignment), three rows.
function editDistance(a: string, b: string): number {
  let before: number[] = []
  let above = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min((above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (above[j - 1] ?? 0) + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1)
      row.push(cost)
    }
    before = above
    above = row
  }
  return above[b.length] ?? 0
}
