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
  const folder = answers.deploy_to ?? `/var/www/${application}`
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
    `  deployTo: ${quoted(folder)},`,
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

function stageLines(stage: string, hosts: string | undefined, isProtected: boolean): string[] {
  const addresses = hosts?.split(',').flatMap((host) => host.trim() || []) ?? []
  const example = addresses.length === 0
  const lines = (example ? [`deploy@${stage}.example.com`] : addresses).map((address, index) => {
    const [, user, name = address, port] = /^(?:([^@]+)@)?([^:]+)(?::(\d+))?$/.exec(address) ?? []
    const roles = index === 0 ? "['app', 'web', 'db']" : "['app', 'web']"
    const rest = [
      `roles: ${roles}`,
      ...(user === undefined ? [] : [`user: ${quoted(user)}`]),
      ...(port === undefined ? [] : [`port: ${port}`]),
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

function databaseLines(application: string, url: string): string[] {
  const password = /^[a-z]+:\/\/[^/@:]*:[^/@]+@/.test(url)
  const bare = password ? url.replace(/^([a-z]+:\/\/[^/@:]*):[^/@]+@/, '$1@') : url
  return [
    '',
    // A password does not belong in a file that is committed.
    ...(password
      ? ['// The password is not written here: see docs/databases.md for secret.env and ~/.pgpass.']
      : []),
    'const db = postgres({',
    `  application: ${quoted(application)},`,
    `  databases: { production: ${quoted(bare)} },`,
    `  from: 'production',`,
    '})',
  ]
}

function listLine(name: string, items: readonly string[] | undefined): string[] {
  return items && items.length > 0 ? [`  ${name}: [${items.map(quoted).join(', ')}],`] : []
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&').replaceAll('\n', '\\n')}'`
}
