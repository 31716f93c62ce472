import { readFileSync } from 'node:fs'

/** `from → to`. */
export type Transition = `${string} → ${string}`

const PAGE = new URL('../../../../docs/run.md', import.meta.url)

/** The transitions of the drawings in docs/run.md, in their order: those of a node, and those of a run. */
export function readDrawings(): {
  readonly node: ReadonlySet<Transition>
  readonly run: ReadonlySet<Transition>
} {
  const page = readFileSync(PAGE, 'utf8')
  const [node, run, ...more] = [...page.matchAll(/^```mermaid\nstateDiagram-v2\n([\s\S]*?)^```$/gm)].map(
    ([, lines = '']) => transitions(lines),
  )
  if (!node || !run || more.length > 0)
    throw new Error('docs/run.md is to have two state diagrams: of a node, of a run')
  return { node, run }
}

/** A choice is no state: what enters it leaves it by each of its ways. */
function transitions(drawing: string): ReadonlySet<Transition> {
  const choices = new Set<string>()
  const edges: (readonly [string, string])[] = []
  for (const line of drawing.split('\n').map((one) => one.trim())) {
    const [, choice] = /^state (\w+) <<choice>>$/.exec(line) ?? []
    const [, from, to] = /^(\w+|\[\*\]) --> (\w+)(?:: .+)?$/.exec(line) ?? []
    if (choice !== undefined) choices.add(choice)
    else if (from !== undefined && to !== undefined) edges.push([from, to])
    else if (line !== '') throw new Error(`docs/run.md: the test cannot read the line '${line}' of a drawing`)
  }
  const endsOf = (to: string): readonly string[] =>
    choices.has(to) ? edges.filter(([from]) => from === to).map(([, end]) => end) : [to]
  const found = edges
    .filter(([from]) => from !== '[*]' && !choices.has(from))
    .flatMap(([from, to]) => endsOf(to).map((end): Transition => `${from} → ${end}`))
  if (new Set(found).size !== found.length) throw new Error('docs/run.md: a transition is drawn twice')
  return new Set(found)
}
