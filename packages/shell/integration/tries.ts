import type { Fault } from '../../../test/servers/proxy.ts'

/** Tries all, so many at once: as soon as one has settled the next begins, since some wait for half a minute of silence. */
export async function tryEach<T, R>(
  items: readonly T[],
  atOnce: number,
  attempt: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = []
  const waiting = items.entries()
  const work = async (): Promise<void> => {
    for (const [at, item] of waiting) results[at] = await attempt(item)
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  return results
}

export function report(
  fault: Fault,
  results: readonly { readonly outcome: string; readonly took: number }[],
): void {
  const counts = new Map<string, number>()
  for (const { outcome } of results) counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
  const longest = Math.max(...results.map(({ took }) => took))
  const said = [...counts].map(([outcome, times]) => `${outcome} ${String(times)}`)
  console.log(
    `${fault}: ${String(results.length)} bytes, at most ${longest.toFixed(0)} ms; ${said.join(', ')}`,
  )
}
