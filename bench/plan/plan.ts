// `npm run bench:plan [-- rounds]`: what it costs to declare tasks, to load their config and to plan them, a node.
// Minima and medians of alternating rounds, how they grow from 1,000 to 100,000 nodes, and the limits of a process that has just
// started. Of CPU, all threads; times swing with the machine all the same: quote minima and factors of growth.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { NAMES, shapeOf, type Declared, type Name } from './declared.ts'
import { measure, STEPS, weigh, type Taken, type Times } from './measure.ts'

const SIZES = [1_000, 10_000, 100_000]
const FRESH = 5

const [first = '5', name = '', size = ''] = process.argv.slice(2)
if (first === 'once') console.log(JSON.stringify(measure(shapeOf(name as Name, Number(size))).times))
else if (first === 'weigh') console.log(JSON.stringify(await weigh(shapeOf(name as Name, Number(size)))))
else all(Number(first))

function all(rounds: number): void {
  console.log(
    `CPU µs a node, minimum (median) of ${rounds} alternating rounds after one that is not counted; growth of the minimum per 10x`,
  )
  console.log(
    `shape     step     ${SIZES.map((nodes) => nodes.toLocaleString('en').padStart(18)).join('')}   growth`,
  )
  for (const shape of NAMES) growth(shape, rounds)
  console.log(
    `\nin a process that has just started, ms of resolvePlan, minimum (median) of ${FRESH}: the limit is 500`,
  )
  console.log(' '.repeat(36), 'CPU'.padStart(12), 'wall'.padStart(12))
  limit('10,000 tasks × 1 host, chain', 'chain', 10_000)
  limit('10,000 tasks × 1 host, fan-out', 'fan-out', 10_000)
  limit('10,000 tasks × 1 host, layered', 'layered', 10_000)
  limit('30 tasks × 1,000 hosts, barriers', 'hosts', 30_000)
  console.log('\nbytes of heap: a task declared and loaded, a node with its edges in the plan')
  for (const shape of NAMES) {
    const { catalog, plan } = child(['--expose-gc'], 'weigh', shape, 10_000) as Awaited<
      ReturnType<typeof weigh>
    >
    const each = shape === 'hosts' ? '' : `${Math.round(catalog)} B a task, `
    console.log(`${shape.padEnd(10)} ${each}${Math.round(plan)} B a node`)
  }
}

function growth(shape: Name, rounds: number): void {
  const declare = SIZES.map((nodes) => shapeOf(shape, nodes))
  const times: Times[][] = SIZES.map(() => [])
  for (let round = 0; round <= rounds; round++) {
    for (const [index, make] of declare.entries()) {
      const measured = often(make, SIZES[index] ?? 1)
      if (round > 0) times[index]?.push(measured)
    }
  }
  for (const step of STEPS) {
    // Of the hosts' shape there are 30 tasks, however many nodes.
    if (shape === 'hosts' && step === 'declare') continue
    const values = times.map((list, index) => list.map((one) => (one[step].cpu * 1000) / (SIZES[index] ?? 1)))
    const cells = values.map((list) => range(list, 2).padStart(18))
    const factors = values.slice(1).map((list, index) => (10 * least(list)) / least(values[index] ?? []))
    const grown = factors.map((factor) => `${factor.toFixed(1)}x`).join(' ')
    console.log(`${shape.padEnd(9)} ${step.padEnd(8)} ${cells.join('')}   ${grown}`)
  }
}

/** Small sizes several times: the clock of the CPU is coarse. */
function often(declare: () => Declared, nodes: number): Times {
  const runs = Array.from({ length: Math.max(1, 50_000 / nodes) }, () => measure(declare).times)
  const mean = (step: (typeof STEPS)[number], of: keyof Taken): number =>
    runs.reduce((sum, times) => sum + times[step][of], 0) / runs.length
  const taken = (step: (typeof STEPS)[number]): Taken => ({
    cpu: mean(step, 'cpu'),
    wall: mean(step, 'wall'),
  })
  return { declare: taken('declare'), load: taken('load'), plan: taken('plan') }
}

function limit(title: string, shape: Name, nodes: number): void {
  const times = Array.from({ length: FRESH }, () => (child([], 'once', shape, nodes) as Times).plan)
  const cells = (['cpu', 'wall'] as const).map((of) =>
    range(
      times.map((taken) => taken[of]),
      0,
    ).padStart(12),
  )
  console.log(title.padEnd(36), ...cells)
}

function child(options: readonly string[], ...args: readonly (string | number)[]): unknown {
  const file = fileURLToPath(import.meta.url)
  const words = [...options, file, ...args.map(String)]
  const { stdout, stderr, status } = spawnSync(process.execPath, words, { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout)
}

function range(values: readonly number[], digits: number): string {
  const median = [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
  return `${least(values).toFixed(digits)} (${median.toFixed(digits)})`
}

function least(values: readonly number[]): number {
  return Math.min(...values)
}
