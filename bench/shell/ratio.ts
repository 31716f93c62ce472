// Contenders in turn, so that whatever else the machine does hits them all alike; medians and ratios to the first of them.
import { cpuOf, endedChildrenOf, untilChildless } from './cpu.ts'

export interface Contender {
  readonly name: string
  run(): Promise<unknown>
  /** Not counted, before each run. */
  before?(): void
  /** A process that works for it and goes on after a run. */
  readonly pid?: number | undefined
}

export interface Figure {
  readonly name: string
  /** Milliseconds. */
  readonly median: number
  readonly ratio: number
  /** Milliseconds of a processor that this side has used, this program and those that it started; NaN where that cannot be known. */
  readonly cpu: number
  readonly cpuRatio: number
  /** The same of what the server has started for it. */
  readonly server: number
}

/**
 * One round more than `rounds` is run: the first is not counted.
 * @param server a process whose children do the other side's work; each run begins when it has none
 */
export async function compare(
  rounds: number,
  contenders: readonly Contender[],
  server?: number,
): Promise<Figure[]> {
  const times = contenders.map((): number[] => [])
  const used = contenders.map((): number[] => [])
  const served = contenders.map((): number[] => [])
  const atServer = async (): Promise<number> => {
    if (server === undefined) return Number.NaN
    await untilChildless(server)
    return endedChildrenOf(server)
  }
  for (let round = 0; round <= rounds; round++) {
    for (const [index, contender] of contenders.entries()) {
      contender.before?.()
      const servedBefore = await atServer()
      const spent = usedHere(contender)
      const begun = performance.now()
      await contender.run()
      if (round > 0) {
        times[index]?.push(performance.now() - begun)
        used[index]?.push(usedHere(contender) - spent)
        served[index]?.push((await atServer()) - servedBefore)
      }
    }
  }
  const medians = times.map(median)
  const cpus = used.map(median)
  const of = (values: readonly number[], index: number): number => values[index] ?? Number.NaN
  return contenders.map(({ name }, index) => ({
    name,
    median: of(medians, index),
    ratio: of(medians, index) / of(medians, 0),
    cpu: of(cpus, index),
    cpuRatio: of(cpus, index) / of(cpus, 0),
    server: median(served[index] ?? []),
  }))
}

function usedHere({ pid }: Contender): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000 + endedChildrenOf(process.pid) + (pid === undefined ? 0 : cpuOf(pid))
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}

export function print(title: string, figures: readonly Figure[]): void {
  console.log(`\n${title}${' '.repeat(Math.max(1, 66 - title.length))}CPU of this side`)
  for (const { name, median, ratio, cpu, cpuRatio } of figures)
    console.log(
      `  ${name.padEnd(44)} ${median.toFixed(0).padStart(7)} ms ${ratio.toFixed(2).padStart(6)} ${cpu.toFixed(0).padStart(8)} ms ${cpuRatio.toFixed(2).padStart(6)}`,
    )
}

/** Of this process, in MB. */
export function rss(): string {
  return `${(process.memoryUsage.rss() / 1e6).toFixed(0)} MB RSS`
}
