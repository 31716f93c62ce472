import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import type { Answers } from './init-config.ts'

/** What a folder tells of how it is to be deployed. */
export interface Project {
  readonly answers: Answers
  /** Where that was found, for people. */
  readonly found: readonly string[]
}

export async function readProject(folder: string): Promise<Project> {
  const name = packageName(folder)
  const remote = await git(folder, 'remote', 'get-url', 'origin')
  const branch = await git(folder, 'symbolic-ref', '--short', 'HEAD')
  const capistrano = readCapistrano(folder)
  const gemfile = text(folder, 'Gemfile')
  const found = [
    ...(name === undefined ? [] : ['package.json: the name']),
    ...(remote === undefined ? [] : ['git: the remote origin']),
    ...(capistrano ? ['config/deploy.rb and config/deploy/*.rb: what Capistrano was told'] : []),
    ...(gemfile === undefined ? [] : ['Gemfile: migrations and the restart of a Rails app']),
  ]
  return {
    found,
    answers: {
      application:
        (name ?? path.basename(folder)).replace(/^@[^/]*\//, '').replace(/[^\w.-]+/g, '-') || 'app',
      ...(remote !== undefined && { repository: remote }),
      ...(branch !== undefined && { branch }),
      ...(gemfile !== undefined && {
        rails: /\brails\b/.test(gemfile),
        passenger: /\bpassenger\b/.test(gemfile),
      }),
      ...capistrano,
    },
  }
}

function packageName(folder: string): string | undefined {
  try {
    const { name } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as { name?: unknown }
    return typeof name === 'string' && name !== '' ? name : undefined
  } catch {
    return undefined
  }
}

/** The plain lines of config/deploy.rb: what is computed there has to be written by hand. */
function readCapistrano(folder: string): Partial<Answers> | undefined {
  const deploy = text(folder, 'config/deploy.rb')
  if (deploy === undefined || !existsSync(path.join(folder, 'Capfile'))) return undefined
  const set = (name: string): string | undefined =>
    new RegExp(`^\\s*set\\s*\\(?\\s*:${name}\\s*,\\s*(['"])([^'"#]+)\\1`, 'm').exec(deploy)?.[2]
  const list = (name: string): readonly string[] | undefined => {
    const [, words] =
      new RegExp(`^\\s*(?:set|append)\\s*\\(?\\s*:${name}\\s*,\\s*(.+?)\\s*\\)?$`, 'm').exec(deploy) ?? []
    const [, inside] = /%w[[{(]([^\]})]*)[\]})]/.exec(words ?? '') ?? []
    if (inside !== undefined) return inside.trim().split(/\s+/)
    const quoted = [...(words ?? '').matchAll(/['"]([^'"]+)['"]/g)].map(([, one = '']) => one)
    return quoted.length > 0 ? quoted : undefined
  }
  const servers = serversOf(text(folder, 'config/deploy/production.rb') ?? '')
  const [application, repository, branch, deployTo] = ['application', 'repo_url', 'branch', 'deploy_to'].map(
    set,
  )
  const [files, dirs] = [list('linked_files'), list('linked_dirs')]
  const keep = /^\s*set\s*\(?\s*:keep_releases\s*,\s*(\d+)/m.exec(deploy)?.[1]
  return {
    ...(application !== undefined && { application }),
    ...(repository !== undefined && { repository }),
    ...(branch !== undefined && { branch }),
    ...(deployTo !== undefined && !deployTo.includes('#{') && { deploy_to: deployTo }),
    ...(servers.length > 0 && { host: servers.join(',') }),
    ...(files && { linkedFiles: files }),
    ...(dirs && { linkedDirs: dirs }),
    ...(keep !== undefined && { keepReleases: Number(keep) }),
    ...(otherStages(folder).length > 0 && { stages: otherStages(folder) }),
  }
}

/** `server "web1", user: "deploy", roles: %w{app}` and `role :web, %w{deploy@web1}`. */
function serversOf(stage: string): readonly string[] {
  const servers = [...stage.matchAll(/^\s*server\s+['"]([^'"]+)['"](.*)$/gm)].map(
    ([, name = '', rest = '']) => {
      const [, user] = /user:\s*['"]([^'"]+)['"]/.exec(rest) ?? []
      return user === undefined || name.includes('@') ? name : `${user}@${name}`
    },
  )
  const roles = [...stage.matchAll(/^\s*role\s+:\w+\s*,\s*%w[[{(]([^\]})]+)/gm)].flatMap(([, names = '']) =>
    names.trim().split(/\s+/),
  )
  return [...new Set([...servers, ...roles])]
}

function otherStages(folder: string): readonly string[] {
  try {
    return readdirSync(path.join(folder, 'config/deploy'))
      .flatMap((name) => /^([A-Za-z]\w*)\.rb$/.exec(name)?.[1] ?? [])
      .filter((name) => name !== 'production')
      .sort()
  } catch {
    return []
  }
}

function text(folder: string, name: string): string | undefined {
  try {
    return readFileSync(path.join(folder, name), 'utf8')
  } catch {
    return undefined
  }
}

async function git(folder: string, ...args: readonly string[]): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)('git', args, { cwd: folder, timeout: 5000 })
    return stdout.trim() || undefined
  } catch {
    return undefined
  }
}
