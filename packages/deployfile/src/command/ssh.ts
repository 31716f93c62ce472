import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { didYouMean, Problem, type Catalog, type Host } from '@deployfile/core'
import { wordsOf, type Given } from './given.ts'

const HELP = `Usage: deployfile [stage] ssh HOST [-- COMMAND…]

Logs in to a host of the config with the ssh of this machine: the user, address and port of the config, and all that
ssh_config says of it. Without a stage the host is looked for in all of them.

Examples:
  deployfile ssh web1
  deployfile production ssh db1 -- tail -f /var/log/syslog
`

/** `ssh HOST`. Returns the exit code of ssh. */
export async function sshCommand(given: Given): Promise<number> {
  const { line, terminal } = given
  if (line.help || line.words[0] === 'help') {
    terminal.stdout.write(HELP)
    return 0
  }
  const { before, after } = wordsOf('ssh', line.words)
  const [name, ...more] = after
  const [strange] = more
  if (name === undefined || strange !== undefined) {
    const said =
      strange === undefined ? 'no host was named' : `'ssh' takes one host, and not '${strange}' beside it`
    throw new Problem('usage', 'HOST_MISSING', said, {
      hint: 'Write deployfile ssh HOST, and a command after --: deployfile ssh web1 -- uptime',
    })
  }
  const { catalog } = await given.open()
  const host = findHost(catalog, name, before)
  if (host.transport === 'local') {
    throw new Problem('usage', 'HOST_LOCAL', `'${name}' is this machine: there is nothing to log in to`, {
      hint: host.root === undefined ? 'Type the command as it is.' : `Its folder is ${host.root}`,
    })
  }
  const config = terminal.env['DEPLOYFILE_SSH_CONFIG']
  const args = [
    ...(config === undefined || config === '' ? [] : ['-F', config]),
    ...(host.port === undefined ? [] : ['-p', String(host.port)]),
    ...(host.user === undefined ? [] : ['-l', host.user]),
    '--',
    host.address,
    ...(line.rest ?? []),
  ]
  return attach(args)
}

/** @throws Problem `HOST_UNKNOWN`, `HOST_AMBIGUOUS`, `STAGE_UNKNOWN` (usage) */
function findHost(catalog: Catalog, name: string, stage: string | undefined): Host {
  const stages = [...catalog.stages.entries()].filter(([key]) => stage === undefined || key === stage)
  if (stages.length === 0) {
    throw new Problem('usage', 'STAGE_UNKNOWN', `there is no stage '${String(stage)}'`, {
      hint: `The stages are ${[...catalog.stages.keys()].join(', ')}.`,
    })
  }
  const found = stages.flatMap(([key, { hosts }]) =>
    hosts.filter((host) => host.name === name).map((host) => ({ key, host })),
  )
  const [first] = found
  if (!first) {
    const names = stages.flatMap(([, { hosts }]) => hosts.map((host) => host.name))
    const where = stage === undefined ? 'no stage has' : `the stage '${stage}' has no`
    throw new Problem('usage', 'HOST_UNKNOWN', `${where} ${stage === undefined ? 'a ' : ''}host '${name}'`, {
      hint: [didYouMean(name, names), `The hosts are ${[...new Set(names)].join(', ')}.`]
        .filter(Boolean)
        .join(' '),
    })
  }
  const places = new Set(
    found.map(({ host: { address, user, port, transport } }) =>
      JSON.stringify([address, user, port, transport]),
    ),
  )
  if (places.size > 1) {
    throw new Problem('usage', 'HOST_AMBIGUOUS', `several stages have a host '${name}', each another one`, {
      hint: `Name the stage first: ${found.map(({ key }) => `deployfile ${key} ssh ${name}`).join('  or  ')}`,
    })
  }
  return first.host
}

function attach(args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn('ssh', args, { stdio: 'inherit' })
    // Ctrl-C is for what runs over there.
    const ignore = (): void => undefined
    process.on('SIGINT', ignore)
    child.once('error', (cause) => {
      process.off('SIGINT', ignore)
      reject(
        new Problem('check', 'SSH_MISSING', `ssh could not be started: ${cause.message}`, {
          hint: 'Install the OpenSSH client: sudo apt-get install openssh-client',
          cause,
        }),
      )
    })
    child.once('close', (code, signal) => {
      process.off('SIGINT', ignore)
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]))
    })
  })
}
