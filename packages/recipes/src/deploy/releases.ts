import type { PerHost } from '@deployfile/core'
import { goodReleases, readState, STATE_SCRIPT, type ReleaseDir } from './host-state.ts'
import { locate, type OnHost } from './layout.ts'
import { readLines } from './ledger.ts'
import type { StageOptions } from './stage-options.ts'
import { releaseTime } from './release-name.ts'
import { runSteps } from './step.ts'

/**
 * 'live': `current` leads to it; 'good': it was live and one may go back to it; 'rolled back'; 'building': by a run that lives, or died;
 * 'failed': kept, or left by Capistrano; 'incomplete': without REVISION.
 */
export type ReleaseStatus = 'live' | 'good' | 'rolled back' | 'building' | 'failed' | 'incomplete'

/** A release on a host. */
export interface ListedRelease {
  readonly name: string
  readonly status: ReleaseStatus
  readonly revision?: string
  readonly branch?: string
  /** Who deployed it. */
  readonly user?: string
  /** ISO 8601, UTC: the time that its name stands for. */
  readonly at?: string
}

const SCRIPT = `to=$1
${STATE_SCRIPT}
if [ -f "$to/revisions.log" ]; then tail -n 500 "$to/revisions.log" | sed 's/^/said	/'; fi`

/** What is in `releases`, newest first. Reads only. */
export async function listReleases(
  { remote }: OnHost,
  options: StageOptions,
): Promise<readonly ListedRelease[]> {
  const { deployTo } = await locate(remote, options.deployTo)
  const purpose = { title: 'list the releases', code: 'SURVEY_FAILED', reads: true }
  const { stdout } = await runSteps(remote, purpose, SCRIPT, [deployTo])
  return describeReleases(stdout)
}

/** Capistrano's line, which ours are, too. */
const DEPLOYED = /^Branch (.*) \(at ([0-9a-f]+)\) deployed as release (\d{14}) by (.*)$/

export function describeReleases(stdout: string): readonly ListedRelease[] {
  const state = readState(stdout)
  const texts = (kind: string): readonly string[] =>
    stdout
      .split('\n')
      .filter((line) => line.startsWith(`${kind}\t`))
      .map((line) => line.slice(kind.length + 1))
  const known = new Map<string, Pick<ListedRelease, 'revision' | 'branch' | 'user'>>()
  for (const line of texts('said')) {
    const [, branch = '', revision = '', name = '', user = ''] = DEPLOYED.exec(line) ?? []
    if (name !== '') known.set(name, { branch, revision, user })
  }
  // Who began to build it has deployed it, whoever wrote later lines.
  for (const { state: said, release, user, revision, branch } of readLines(texts('ledger'))) {
    if (said !== 'building' || user === undefined) continue
    known.set(release, {
      user,
      ...(revision !== undefined && { revision }),
      ...(branch !== undefined && { branch }),
    })
  }
  const good = new Set(goodReleases(state))
  const kept = state.hidden
    .filter((name) => name.endsWith('.failed'))
    .map((name) => ({ name: name.slice(1, -'.failed'.length), status: 'failed' as const }))
  const releases = state.releases.map((dir) => ({
    name: dir.name,
    status: statusOf(dir, state.live, good),
    ...(dir.revision !== undefined && { revision: dir.revision }),
  }))
  return [...kept, ...releases]
    .map((one) => ({ ...known.get(one.name), ...one, ...timeOf(one.name) }))
    .sort((a, b) => (a.name > b.name ? -1 : 1))
}

function statusOf(
  { name, complete, state, neverLive }: ReleaseDir,
  live: string | undefined,
  good: ReadonlySet<string>,
): ReleaseStatus {
  if (name === live) return 'live'
  if (good.has(name)) return 'good'
  if (state === 'rolled-back') return 'rolled back'
  if (state === 'building' || state === 'failed') return state
  return complete && neverLive === true ? 'failed' : 'incomplete'
}

function timeOf(name: string): Pick<ListedRelease, 'at'> {
  const time = releaseTime(name)
  return time ? { at: time.toISOString() } : {}
}

/** A table of all hosts, newest first: a release that is the same everywhere is one line. */
export function releaseTable(hosts: PerHost<readonly ListedRelease[]>): readonly string[] {
  const rows = new Map<string, { readonly one: ListedRelease; readonly hosts: string[] }>()
  for (const { host, value } of hosts) {
    for (const one of value) {
      const key = `${one.name} ${one.status} ${one.revision ?? ''}`
      const row = rows.get(key) ?? { one, hosts: [] }
      row.hosts.push(host.name)
      rows.set(key, row)
    }
  }
  if (rows.size === 0) return ['there are no releases']
  const cells = [...rows.values()]
    .sort((a, b) => (a.one.name > b.one.name ? -1 : 1))
    .map(({ one, hosts: on }) => [
      ...[one.name, one.status, one.revision?.slice(0, 10) ?? '-', one.branch ?? '-', one.user ?? '-'],
      ...[one.at?.slice(0, 19).replace('T', ' ') ?? '-', on.length === hosts.length ? '' : on.join(', ')],
    ])
  const head = ['RELEASE', 'STATE', 'REVISION', 'BRANCH', 'BY', 'AT (UTC)', '']
  const table = [head, ...cells]
  const widths = head.map((_, at) => Math.max(...table.map((row) => (row[at] ?? '').length)))
  return table.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
