import { Problem, resolvePlan, task, where, type Catalog } from '@deployfile/core'
import { wordsOf, type Given } from './given.ts'
import { startRun } from '../cli/start.ts'
import { readConfirm } from './resume.ts'
import { stageOf } from './stage-of.ts'

const HELP = `Usage: deployfile [stage] exec 'COMMAND' [options]
       deployfile [stage] exec [options] -- COMMAND…

Runs one command on every host of a stage at the same time, by sh, and prints which host said what.

  -z, --hosts web1,web2     only these hosts
  -r, --roles web           only hosts with this role
  -y, --yes                 do not ask, on a protected stage
  --concurrency N           hosts at once

Examples:
  deployfile production exec uptime
  deployfile production exec 'df -h / | tail -1' -r db
  deployfile exec -- systemctl status nginx
`

/** `exec`: a run of one task that no config has, so that it is asked for, logged and stopped as any other. */
export async function execCommand(given: Given): Promise<number> {
  const { line, terminal } = given
  if (line.help || line.words[0] === 'help') {
    terminal.stdout.write(HELP)
    return 0
  }
  const { before, after } = wordsOf('exec', line.words)
  const { confirm, others } = readConfirm(after)
  const command = [...others, ...(line.rest ?? [])].join(' ').trim()
  if (command === '') {
    throw new Problem('usage', 'COMMAND_MISSING', 'there is no command to run', {
      hint: "Say which, in quotes: deployfile production exec 'uptime'",
    })
  }
  const strange = others.find((word) => word.startsWith('-'))
  if (strange !== undefined) {
    throw new Problem('usage', 'OPTION_UNKNOWN', `unknown option '${strange}'`, {
      hint: `What belongs to the command stands in its quotes, or after --: deployfile exec -- ${command}`,
    })
  }
  const place = await given.open()
  const catalog = withExec(place.catalog, command)
  const stage = stageOf(catalog, before)
  const plan = resolvePlan(catalog, { stage, tasks: ['exec'], inputs: {}, ...line.filters })
  // Whoever asks hosts wants to read what each said; a row of a tree has room for the last line.
  const shown = line.renderer === 'auto' ? { ...line, renderer: 'plain' as const } : line
  const { root, config = '' } = place
  return startRun({ catalog, plan, line: shown, confirm, config, root, terminal })
}

function withExec(catalog: Catalog, command: string): Catalog {
  const template = Object.assign([command], { raw: [command] })
  const exec = task('exec', {
    desc: command,
    on: where(() => true),
    async run({ remote }) {
      await remote.sh(template)
    },
  })
  return { ...catalog, tasks: new Map([...catalog.tasks, [exec.name, exec]]) }
}
