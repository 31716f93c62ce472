/** What a first config is written from. */
export interface Answers {
  readonly application: string
  readonly repository?: string | undefined
  readonly branch?: string | undefined
  /** Of production, with commas between several. */
  readonly host?: string | undefined
  readonly deploy_to?: string | undefined
  /** libpq URL. */
  readonly database?: string | undefined
  readonly rails?: boolean
  readonly passenger?: boolean
  readonly linkedFiles?: readonly string[]
  readonly linkedDirs?: readonly string[]
  readonly keepReleases?: number
  /** Other stages than production, whose hosts are not known. */
  readonly stages?: readonly string[]
}

/** A deploy.config.ts that compiles, loads and plans as it is. */
export function configText(answers: Answers): string {
  const { application, repository, branch, database, rails, passenger } = answers
  const names = [...(passenger ? ['deploy', 'passenger'] : ['deploy']), ...(database ? ['postgres'] : [])]
  const migrate = rails ? 'bundle exec rake db:migrate' : undefined
  const known = repository ?? `git@git.example.com:${application}.git`
  return [
    `import { defineConfig } from 'deployfile'`,
    `import { ${names.join(', ')} } from 'deployfile/recipes'`,
    '',
    'const app = deploy({',
    `  application: ${quoted(application)},`,
    `  repository: ${quoted(known)},${repository === undefined ? ' // your repository' : ''}`,
    `  branch: ${quoted(branch ?? 'main')},${branch === undefined ? ' // your branch' : ''}`,
    `  deployTo: ${quoted(folderOf(answers))},`,
    ...listLine('linkedFiles', answers.linkedFiles),
    ...listLine('linkedDirs', answers.linkedDirs),
    ...(answers.keepReleases === undefined ? [] : [`  keepReleases: ${String(answers.keepReleases)},`]),
    ...(migrate === undefined ? [] : [`  migrate: ${quoted(migrate)},`]),
    ...(passenger ? ['  restart: passenger(),'] : []),
    '})',
    ...(database === undefined ? [] : databaseLines(application, database)),
    '',
    'export default defineConfig({',
    '  stages: {',
    ...(answers.stages ?? []).flatMap((stage) => stageLines(stage, undefined, false)),
    ...stageLines('production', answers.host, true),
    '  },',
    `  use: [app${database === undefined ? '' : ', db'}],`,
    '})',
    '',
  ].join('\n')
}

/** A host of a stage, as a config has it. */
export interface StageHost {
  readonly name: string
  readonly roles: readonly string[]
  readonly user?: string
  readonly port?: number
}

/** `deploy@web1.example.com:2222,web2`: the first has the database, too. */
export function hostsOf(addresses: string): readonly StageHost[] {
  const each = addresses.split(',').flatMap((host) => host.trim() || [])
  return each.map((address, index) => {
    const [, user, name = address, port] = /^(?:([^@]+)@)?([^:]+)(?::(\d+))?$/.exec(address) ?? []
    return {
      name,
      roles: index === 0 ? ['app', 'web', 'db'] : ['app', 'web'],
      ...(user !== undefined && { user }),
      ...(port !== undefined && { port: Number(port) }),
    }
  })
}

function stageLines(stage: string, addresses: string | undefined, isProtected: boolean): string[] {
  const hosts = hostsOf(addresses ?? '')
  const example = hosts.length === 0
  const written = example ? hostsOf(`deploy@${stage}.example.com`) : hosts
  const lines = written.map(({ name, roles, user, port }) => {
    const rest = [
      `roles: [${roles.map(quoted).join(', ')}]`,
      ...(user === undefined ? [] : [`user: ${quoted(user)}`]),
      ...(port === undefined ? [] : [`port: ${String(port)}`]),
    ]
    return `        ${quoted(name)}: { ${rest.join(', ')} },${example ? ' // your host' : ''}`
  })
  return [
    `    ${/^\w+$/.test(stage) ? stage : quoted(stage)}: {`,
    ...(isProtected ? ['      protected: true,'] : []),
    '      hosts: {',
    ...lines,
    '      },',
    '    },',
  ]
}

export function withoutPassword(url: string): string {
  return url.replace(/^([a-z]+:\/\/[^/@:]*):[^/@]+@/, '$1@')
}

function databaseLines(application: string, url: string): string[] {
  const bare = withoutPassword(url)
  return [
    '',
    // A password does not belong in a file that is committed.
    ...(bare !== url
      ? ['// The password is not written here: see docs/databases.md for secret.env and ~/.pgpass.']
      : []),
    'const db = postgres({',
    `  application: ${quoted(application)},`,
    `  databases: { production: ${quoted(bare)} },`,
    `  from: 'production',`,
    '})',
  ]
}

/** Where it is deployed to when nothing else is said. */
export function folderOf({ application, deploy_to: folder = `/var/www/${application}` }: Answers): string {
  return folder
}

function listLine(name: string, items: readonly string[] | undefined): string[] {
  return items && items.length > 0 ? [`  ${name}: [${items.map(quoted).join(', ')}],`] : []
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&').replaceAll('\n', '\\n')}'`
}
