import { staleReleases, withRelease } from './cleanup.ts'
import type { HostState } from './host-state.ts'
import { locate, type OnHost } from './layout.ts'
import type { StageOptions } from './stage-options.ts'
import type { Flip } from './tasks.ts'
import type { Release, Revision } from './before-migrate.ts'

// What a run does in one script is shown as the commands that a person would type for it: dry shells print them and run none.

/** What building the release would do. The mirror is looked at, so that a clone is told from an update. */
export async function previewRelease(
  context: OnHost,
  options: StageOptions,
  settled: Revision,
  state: HostState,
): Promise<Release> {
  const { remote } = context
  const { name, revision, branch } = settled
  const layout = await locate(remote, options.deployTo)
  const { deployTo, releases, shared } = layout
  const { source, linkedFiles, linkedDirs } = options
  const path = `${releases}/${name}`
  await remote.sh`mkdir -p ${[releases, shared]}`
  await source.preview(context, settled, layout, path)
  await remote.sh`printf '%s\\n' ${revision} > ${`${path}/REVISION`}`
  for (const dir of linkedDirs) await remote.sh`mkdir -p ${`${shared}/${dir}`}`
  for (const { path: file, upload } of linkedFiles) {
    if (upload !== undefined && !(await remote.exists(`${shared}/${file}`)))
      await remote.uploadFile(upload, `${shared}/${file}`, { mode: 0o600 })
  }
  for (const linked of [...linkedFiles.map(({ path: file }) => file), ...linkedDirs])
    await remote.sh`ln -s ${`${deployTo}/shared/${linked}`} ${`${path}/${linked}`}`
  return { name, path, revision, branch, ...(state.link !== undefined && { previous: state.link }) }
}

/** What pointing `current` at a release would do; without a name, at the one that it points to. */
export async function previewFlip(
  { remote }: OnHost,
  options: StageOptions,
  name: string | undefined,
): Promise<Flip> {
  const layout = await locate(remote, options.deployTo)
  const { current, releases } = layout
  const link = await remote.capture`readlink ${current} || :`
  const target = name ?? (await remote.capture`basename "$(cd -P ${current} && pwd -P)"`)
  await remote.symlink(`${releases}/${target}`, current)
  return { name: target, ...(link !== '' && { previous: link }) }
}

/** Which releases would be removed once the one of this run is there, too. */
export async function previewCleanup(
  { remote, log }: OnHost,
  options: StageOptions,
  state: HostState,
  release: Release | undefined,
): Promise<{ readonly removed: readonly string[] }> {
  const { releases } = await locate(remote, options.deployTo)
  const then = release ? withRelease(state, release) : state
  const removed = staleReleases(then, options.keepReleases)
  for (const name of removed) await remote.remove(`${releases}/${name}`)
  if (removed.length === 0) log(`nothing older than the last ${String(options.keepReleases)}`)
  return { removed }
}

/** What would be written to `revisions.log`. */
export async function previewRevisionLog(
  { remote }: OnHost,
  options: StageOptions,
  line: string,
): Promise<void> {
  const { revisionLog } = await locate(remote, options.deployTo)
  await remote.sh`printf '%s\\n' ${line} >> ${revisionLog}`
}

/** What packing a release that was rolled back would do. */
export async function previewArchive(
  { remote }: OnHost,
  options: StageOptions,
  name: string,
): Promise<{ readonly archive: string }> {
  const { deployTo, releases } = await locate(remote, options.deployTo)
  const archive = `${deployTo}/rolled-back-release-${name}.tar.gz`
  await remote.sh`tar -czf ${archive} ${`${releases}/${name}`}`
  await remote.remove(`${releases}/${name}`)
  return { archive }
}
