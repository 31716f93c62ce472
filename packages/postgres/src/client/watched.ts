import type { Site } from '../site.ts'

/** How often what is at work is looked at, in milliseconds. */
const LOOK_MS = 1000

/** How far it is, as `progress` is told. */
export type Seen = Parameters<Site['progress']>

/** Says how far it is while something is at work, one look after the other. That a look fails is no reason to stop. */
export async function watched<T>(
  look: () => Promise<Seen>,
  site: Pick<Site, 'progress'>,
  work: () => Promise<T>,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  let over = false
  const again = (): void => {
    timer = setTimeout(() => {
      void look()
        .then((seen) => {
          if (!over) site.progress(...seen)
        })
        .catch(() => undefined)
        .finally(() => {
          if (!over) again()
        })
    }, LOOK_MS)
  }
  again()
  try {
    return await work()
  } finally {
    over = true
    clearTimeout(timer)
  }
}
