import { Problem, type Catalog, type Host } from '@deployfile/core'
import { wordsOf, type Given } from './given.ts'
import { printDocument, type View } from '../cli/terminal.ts'
import { count } from '../render/duration.ts'
import { printable } from '../render/style.ts'
import { wrapped } from '../render/width.ts'
import type { Place } from '../run/work.ts'
import type { Looked } from './doctor-hosts.ts'
import { checkConfig, checkMachine, type Found } from './doctor-machine.ts'
import { checksOf, type TaskCheck } from './doctor-tasks.ts'
import { stageOf } from './stage-of.ts'

const HELP = `Usage: deployfile [stage] doctor [options]

Looks for what would stop a deploy: Node, git, ssh and the client programs of PostgreSQL on this machine, the config,
and each host: whether it can be reached, its key is known, its clock is right, its disk has room, the login can write
to its home, and the tools are there; then what the config's own tasks look at. Without a stage, the hosts of all stages.
Changes nothing, but that it opens a database which a killed restore has left closed.

  -z, --hosts web1,web2     only these hosts
  -r, --roles web           only hosts with this role
  --json                    one JSON document

Exit code 0 when nothing is wrong, 3 when something is. A warning (!) is not wrong.
`

/** `doctor`. Returns the exit code. */
export async function doctorCommand(given: Given): Promise<number> {
  const { line, terminal } = given
  if (line.help || line.words[0] === 'help') {
    terminal.stdout.write(HELP)
    return 0
  }
  const { before, after } = wordsOf('doctor', line.words)
  const [strange] = after
  if (strange !== undefined) {
    throw new Problem('usage', 'WORD_UNKNOWN', `'doctor' does not know '${strange}'`, {
      hint: `A host is named by -z ${strange}, a stage goes first: deployfile ${strange} doctor`,
    })
  }
  const machine = await checkMachine()
  const config = await checkConfig(given)
  const found = config.place ? await checkPlace(config.place, before, line.filters) : []
  const all = [...machine, ...config.findings, ...found]
  const wrong = all.filter(({ state }) => state === 'wrong').length
  const facts = { ok: wrong === 0, findings: all }
  printDocument(terminal, line, facts, (view) => doctorLines(all, wrong, view))
  return wrong === 0 ? 0 : 3
}

interface Filters {
  readonly hosts?: readonly string[]
  readonly roles?: readonly string[]
}

async function checkPlace(
  { catalog, root }: Place,
  named: string | undefined,
  filters: Filters,
): Promise<readonly Found[]> {
  const stages = named === undefined ? [...catalog.stages.keys()] : [stageOf(catalog, named)]
  const checks = checksOf(catalog, stages)
  const hosts = hostsOf(catalog, stages, checks, filters)
  const { checkHosts } = await import('./doctor-hosts.ts')
  return checkHosts(hosts, { catalog, root, here: checks.filter(({ host }) => host === undefined) })
}

function hostsOf(
  catalog: Catalog,
  stages: readonly string[],
  checks: readonly TaskCheck[],
  { hosts: names, roles }: Filters,
): readonly Looked[] {
  const all = stages.flatMap((stage) => catalog.stages.get(stage)?.hosts ?? [])
  const chosen = all.filter(
    (host) =>
      (names === undefined || names.includes(host.name)) &&
      (roles === undefined || roles.some((role) => host.roles.includes(role))),
  )
  if (chosen.length === 0 && (names !== undefined || roles !== undefined)) {
    throw new Problem('usage', 'FILTER_EMPTY', 'no host is left to look at', {
      hint: `The hosts are ${[...new Set(all.map(({ name }) => name))].join(', ')}.`,
    })
  }
  // The same machine may serve several stages.
  const looked = new Map<string, { readonly host: Host; readonly checks: TaskCheck[] }>()
  for (const host of chosen) {
    const { name, address, user, port, transport } = host
    const place = JSON.stringify([name, address, user, port, transport])
    const known = looked.get(place) ?? { host, checks: [] }
    looked.set(place, known)
    known.checks.push(...checks.filter((check) => check.host === host))
  }
  return [...looked.values()]
}

function doctorLines(findings: readonly Found[], wrong: number, { style, columns }: View): string[] {
  const marks = { well: style.green('✔'), doubtful: style.yellow('!'), wrong: style.red('✘') } as const
  const width = Math.max(...findings.map(({ what }) => what.length))
  const said = (text: string): string =>
    text
      .split('\n')
      .flatMap((line) => wrapped(printable(line), columns, ' '.repeat(width + 6)))
      .join('\n')
      .trimStart()
  const advice = (text: string): readonly string[] => wrapped(printable(text), columns, '    ').map(style.dim)
  const places = [...new Set(findings.map(({ where }) => where))]
  return [
    ...places.flatMap((place) => [
      style.bold(place),
      ...findings
        .filter(({ where }) => where === place)
        .flatMap(({ what, state, said: text, hint }) => [
          `  ${marks[state]} ${what.padEnd(width)}  ${said(text)}`,
          ...(hint === undefined ? [] : hint.split('\n').flatMap(advice)),
        ]),
      '',
    ]),
    wrong === 0 ? style.green('✔ nothing is wrong') : style.red(`✘ ${count(wrong, 'thing')} to mend`),
  ]
}
