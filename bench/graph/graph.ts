// `npm run bench:graph [-- nodes]`: what a no-op node costs, beside a floor and a peer in the same alternating run.
// Prints medians of CPU microseconds a node and their ratios; quote the ratios, single times swing with the machine.
import { deployfile, floor, pGraph, type Scheduler } from './schedulers.ts'
import { shapes, type Shape } from './shapes.ts'

const ROUNDS = 5
const size = Number(process.argv[2] ?? 10_000)

async function cpuPerNode(scheduler: Scheduler, shape: Shape): Promise<number> {
  const before = process.cpuUsage()
  const ran = await scheduler(shape)
  const { user, system } = process.cpuUsage(before)
  if (ran !== shape.needs.length) throw new Error(`ran ${ran} of ${shape.needs.length} nodes`)
  return (user + system) / shape.needs.length
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}

console.log(
  `${size} no-op nodes, median of ${ROUNDS} alternating rounds after one that is not counted, CPU µs a node`,
)
console.log('shape      deployfile   p-graph   floor   deployfile/p-graph   deployfile/floor')
for (const shape of shapes(size)) {
  const all = [deployfile, pGraph, floor]
  const times: number[][] = all.map(() => [])
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [index, scheduler] of all.entries()) {
      const time = await cpuPerNode(scheduler, shape)
      if (round > 0) times[index]?.push(time)
    }
  }
  const [ours = 0, peer = 0, least = 0] = times.map(median)
  const cells = [ours.toFixed(1).padStart(10), peer.toFixed(1).padStart(9), least.toFixed(1).padStart(7)]
  console.log(
    `${shape.name.padEnd(10)} ${cells.join(' ')} ${(ours / peer).toFixed(2).padStart(20)} ${(ours / least).toFixed(1).padStart(18)}`,
  )
}
