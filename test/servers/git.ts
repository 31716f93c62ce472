import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { tempFolder } from './temp.ts'

/** What a commit changes: the new content of each file; null removes it. */
export type Changes = Readonly<Record<string, string | null>>

export interface GitOptions {
  /** A folder that the first commit is made of. */
  readonly from?: string
  /** The first is the default branch; all start at the first commit. */
  readonly branches?: readonly [string, ...string[]]
}

export interface GitServer extends AsyncDisposable {
  /** The bare repository, as a deployment's `repository`. */
  readonly repository: string
  /** Commits onto a branch (the default one when none is named) and pushes. Returns the full sha. */
  commit(files: Changes, message?: string, branch?: string): string
  /** The full sha that a branch or a tag leads to. */
  revision(name?: string): string
  /** Any git command in the bare repository, its output trimmed. */
  git(...args: readonly string[]): string
  remove(): Promise<void>
}

/** A bare repository on this machine's disk, which git reaches by path as it would reach a server. */
export function makeGitServer(options: GitOptions = {}): GitServer {
  const [main, ...others] = options.branches ?? ['master']
  const folder = tempFolder('git')
  const repository = join(folder.path, 'origin.git')
  const checkout = join(folder.path, 'checkout')
  mkdirSync(checkout)
  if (options.from !== undefined) cpSync(options.from, checkout, { recursive: true })
  git(folder.path, 'init', '--quiet', '--bare', `--initial-branch=${main}`, repository)
  git(checkout, 'init', '--quiet', `--initial-branch=${main}`)
  git(checkout, 'remote', 'add', 'origin', repository)
  const save = (message: string): void => {
    git(checkout, 'add', '--all')
    git(checkout, 'commit', '--quiet', '--allow-empty', '--message', message)
  }
  save('First')
  for (const branch of others) git(checkout, 'branch', branch)
  git(checkout, 'push', '--quiet', 'origin', main, ...others)
  return {
    repository,
    commit(files, message = `Change ${Object.keys(files).join(', ')}`, branch = main) {
      git(checkout, 'checkout', '--quiet', branch)
      for (const [name, content] of Object.entries(files)) change(join(checkout, name), content)
      save(message)
      git(checkout, 'push', '--quiet', 'origin', branch)
      return git(checkout, 'rev-parse', 'HEAD')
    },
    revision: (name = main) => git(repository, 'rev-parse', '--verify', `${name}^{commit}`),
    git: (...args) => git(repository, ...args),
    remove: () => folder.remove(),
    [Symbol.asyncDispose]: () => folder.remove(),
  }
}

function change(path: string, content: string | null): void {
  if (content === null) {
    rmSync(path)
    return
  }
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
}

const AUTHOR = { NAME: 'A developer', EMAIL: 'developer@example.com' }

/** Without the developer's own git settings, which may sign commits, run hooks or change line ends. */
function git(cwd: string, ...args: readonly string[]): string {
  const env = {
    PATH: process.env['PATH'],
    HOME: '/nonexistent',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: AUTHOR.NAME,
    GIT_AUTHOR_EMAIL: AUTHOR.EMAIL,
    GIT_COMMITTER_NAME: AUTHOR.NAME,
    GIT_COMMITTER_EMAIL: AUTHOR.EMAIL,
  }
  return execFileSync('git', args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
}
