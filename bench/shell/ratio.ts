// Contenders in turn, so that whatever else the machine does hits them all alike; medians and ratios to the first of them.

export interface Contender {
  readonly name: string
  run(): Promise<unknown>
  /** Not counted, before each run. */
  before?(): void
}

export interface Figure {
  readonly name: string
  /** Milliseconds. */
  readonly median: number
  readonly ratio: number
}

/** One round more than `rounds` is run: the first is not counted. */
export async function compare(rounds: number, contenders: readonly Contender[]): Promise<Figure[]> {
  const times = contenders.map((): number[] => [])
  for (let round = 0; round <= rounds; round++) {
    for (const [index, contender] of contenders.entries()) {
      contender.before?.()
      const begun = performance.now()
      await contender.run()
      if (round > 0) times[index]?.push(performance.now() - begun)
    }
  }
  const medians = times.map(median)
  return contenders.map(({ name }, index) => ({
    name,
    median: medians[index] ?? Number.NaN,
    ratio: (medians[index] ?? Number.NaN) / (medians[0] ?? Number.NaN),
  }))
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}

export function print(title: string, figures: readonly Figure[]): void {
  console.log(`\n${title}`)
  for (const { name, median, ratio } of figures)
    console.log(`  ${name.padEnd(44)} ${median.toFixed(0).padStart(7)} ms ${ratio.toFixed(2).padStart(7)}`)
}

/** Of this process, in MB. */
export function rss(): string {
  return `${(process.memoryUsage.rss() / 1e6).toFixed(0)} MB RSS`
}
