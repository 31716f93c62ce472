// `npm run bench:graph [-- nodes [rounds]]`: what running a no-op node costs, beside a floor and a peer, alternating, each measurement in
// a process of its own. Prints medians of CPU microseconds and of what the process grew by; quote the ratios, times swing with the machine.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { schedulers } from './schedulers.ts'
import { shapes } from './shapes.ts'

interface Sample {
  readonly micros: number
  readonly bytes: number
}

const size = Number(process.argv[2] ?? 100_000)
const rounds = Number(process.argv[3] ?? 5)
const names = Object.keys(schedulers)

function sample(name: string, shape: string): Sample {
  const script = fileURLToPath(new URL('sample.js', import.meta.url))
  const args = ['--expose-gc', script, name, shape, String(size)]
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as Sample
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}

console.log(
  `${size} no-op nodes, median of ${rounds} alternating rounds; the machine's own growth is in the bytes`,
)
for (const shape of Object.keys(shapes)) {
  const samples = new Map<string, Sample[]>(names.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const name of names) samples.get(name)?.push(sample(name, shape))
  }
  const of = (name: string, what: keyof Sample): number =>
    median((samples.get(name) ?? []).map((one) => one[what]))
  console.log(`\n${shape.padEnd(40)} CPU µs a node   bytes a node   of p-graph   of deployfile`)
  for (const name of names) {
    const micros = of(name, 'micros')
    const cells = [
      micros.toFixed(1).padStart(13),
      of(name, 'bytes').toFixed(0).padStart(14),
      `${(micros / of('p-graph', 'micros')).toFixed(2)}x`.padStart(12),
      `${(micros / of('deployfile', 'micros')).toFixed(2)}x`.padStart(15),
    ]
    console.log(`${name.padEnd(40)} ${cells.join(' ')}`)
  }
}
