import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join, relative } from 'node:path'

/** A deploy_to folder on a host of a test; the hosts are on this machine, so it is read directly. */
export interface Deployment {
  readonly path: string
  /** What `current` points to, or undefined when there is none. */
  current(): string | undefined
  /** Names in releases/, everything. */
  releases(): readonly string[]
  /** What a folder holds, sorted. */
  names(path: string): readonly string[]
  read(path: string): string
  lines(path: string): readonly string[]
  /** All files and links below a folder: `path`, or `path -> target`. */
  tree(path: string): readonly string[]
  mode(path: string): string
  /** What git says in the mirror. */
  git(...args: string[]): string
  /** All that a command which fails must leave as it was: the release that is live, the others, the log, and no lock. */
  state(): unknown
}

export function deployment(path: string): Deployment {
  const at = (name: string): string => join(path, name)
  const names = (name: string): readonly string[] =>
    existsSync(at(name)) ? readdirSync(at(name)).sort() : []
  const current = (): string | undefined =>
    stat(at('current'))?.isSymbolicLink() ? readlinkSync(at('current')) : undefined
  return {
    path,
    names,
    current,
    releases: () => names('releases'),
    read: (name) => readFileSync(at(name), 'utf8'),
    lines: (name) => readFileSync(at(name), 'utf8').trimEnd().split('\n'),
    tree: (name) =>
      walk(at(name))
        .map((one) => relative(at(name), one.path) + one.target)
        .sort(),
    git: (...args) => execFileSync('git', ['--git-dir', at('repo'), ...args], { encoding: 'utf8' }).trim(),
    state: () => ({
      current: current(),
      releases: names('releases'),
      log: existsSync(at('revisions.log')) ? readFileSync(at('revisions.log'), 'utf8') : undefined,
      locked: existsSync(at('.deployfile/lock')),
    }),
    mode: (name) => (Number(stat(at(name))?.mode ?? 0) & 0o7777).toString(8),
  }
}

function stat(path: string): ReturnType<typeof lstatSync> {
  return lstatSync(path, { throwIfNoEntry: false })
}

function walk(folder: string): readonly { path: string; target: string }[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return walk(path)
    return [{ path, target: entry.isSymbolicLink() ? ` -> ${readlinkSync(path)}` : '' }]
  })
}
