import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { userInfo } from 'node:os'
import { promisify } from 'node:util'
import type { RunInfo } from '@deployfile/core'

/** Facts about a run that is about to start: `20261123T181502123Z-3f9a`, sortable and unique also when two start at once. */
export async function runInfo(
  root: string,
  env: NodeJS.ProcessEnv,
  startedAt = new Date(),
): Promise<RunInfo> {
  const time = startedAt.toISOString().replace(/[-:.]/g, '')
  const id = `${time}-${randomBytes(2).toString('hex')}`
  return { id, startedAt, root, user: await userName(root, env) }
}

// In CI the login says nothing ("runner"); its own variables name who pressed the button.
// Who runs a job again, or lets it go on, goes before who caused it.
const CI_USERS = [
  ...['GITHUB_TRIGGERING_ACTOR', 'GITHUB_ACTOR', 'GITLAB_USER_LOGIN'],
  ...['BUILDKITE_UNBLOCKER', 'BUILDKITE_BUILD_CREATOR', 'CIRCLE_USERNAME'],
  // Azure Pipelines; the plugin "build user vars" of Jenkins.
  ...['BUILD_REQUESTEDFOR', 'BUILD_USER'],
]

async function userName(root: string, env: NodeJS.ProcessEnv): Promise<string> {
  const inCi = CI_USERS.flatMap((name) => env[name] ?? []).find((value) => value !== '')
  if (inCi !== undefined) return inCi
  try {
    const { stdout } = await promisify(execFile)('git', ['config', 'user.name'], {
      cwd: root,
      env,
      timeout: 5000,
    })
    if (stdout.trim() !== '') return stdout.trim()
  } catch {
    // No git, or no name in its config: the login is as good.
  }
  try {
    return userInfo().username
  } catch {
    // A container may run under a uid that no passwd entry names.
    return 'unknown'
  }
}
