import { Problem, type Catalog, type Host } from '@deployfile/core'
import { wordsOf, type Given } from '../cli/commands.ts'
import { printDocument } from '../cli/terminal.ts'
import { count } from '../render/duration.ts'
import type { Style } from '../render/style.ts'
import { checkConfig, checkMachine, type Finding } from './doctor-machine.ts'
import { stageOf } from './stage-of.ts'

const HELP = `Usage: deployfile [stage] doctor [options]

Looks for what would stop a deploy, and changes nothing: Node, git, ssh and the client programs of PostgreSQL on this
machine, the config, and each host: whether it can be reached, its key is known, its clock is right, its disk has room,
the login can write to its home, and the tools are there. Without a stage, the hosts of all stages.

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
  const hosts = config.place ? hostsOf(config.place.catalog, before, line.filters) : []
  const { checkHosts } = await import('./doctor-hosts.ts')
  const found = config.place ? await checkHosts(hosts, config.place.root) : []
  const all = [...machine, ...config.findings, ...found]
  const wrong = all.filter(({ state }) => state === 'wrong').length
  const facts = { ok: wrong === 0, findings: all }
  printDocument(terminal, line, facts, ({ style }) => doctorLines(all, wrong, style))
  return wrong === 0 ? 0 : 3
}

function hostsOf(
  catalog: Catalog,
  named: string | undefined,
  { hosts: names, roles }: { readonly hosts?: readonly string[]; readonly roles?: readonly string[] },
): readonly Host[] {
  const stages = named === undefined ? [...catalog.stages.keys()] : [stageOf(catalog, named)]
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
  const places = new Map(
    chosen.map((host) => [
      JSON.stringify([host.name, host.address, host.user, host.port, host.transport]),
      host,
    ]),
  )
  return [...places.values()]
}

function doctorLines(findings: readonly Finding[], wrong: number, style: Style): string[] {
  const marks = { well: style.green('✔'), doubtful: style.yellow('!'), wrong: style.red('✘') } as const
  const width = Math.max(...findings.map(({ what }) => what.length))
  const places = [...new Set(findings.map(({ where }) => where))]
  return [
    ...places.flatMap((place) => [
      style.bold(place),
      ...findings
        .filter(({ where }) => where === place)
        .flatMap(({ what, state, said, hint }) => [
          `  ${marks[state]} ${what.padEnd(width)}  ${said}`,
          ...(hint === undefined ? [] : hint.split('\n').map((text) => `    ${style.dim(text)}`)),
        ]),
      '',
    ]),
    wrong === 0 ? style.green('✔ nothing is wrong') : style.red(`✘ ${count(wrong, 'thing')} to mend`),
  ]
}
