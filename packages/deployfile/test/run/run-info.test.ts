import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runInfo } from '../../src/run/run-info.ts'

describe('who runs it', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'deployfile-who-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  /** With nothing in the environment but what is given, and a home without a git config. */
  const who = async (env: NodeJS.ProcessEnv = {}): Promise<string> =>
    (await runInfo(folder, { PATH: process.env['PATH'], HOME: folder, GIT_CONFIG_NOSYSTEM: '1', ...env }))
      .user

  it.each([
    ['GitHub Actions', { GITHUB_ACTOR: 'alice' }],
    ['GitHub Actions, run again by another', { GITHUB_ACTOR: 'bob', GITHUB_TRIGGERING_ACTOR: 'alice' }],
    ['GitLab', { GITLAB_USER_LOGIN: 'alice' }],
    ['Buildkite', { BUILDKITE_BUILD_CREATOR: 'alice' }],
    ['Buildkite, unblocked by another', { BUILDKITE_BUILD_CREATOR: 'bob', BUILDKITE_UNBLOCKER: 'alice' }],
    ['CircleCI', { CIRCLE_USERNAME: 'alice' }],
    ['Azure Pipelines', { BUILD_REQUESTEDFOR: 'alice', TF_BUILD: 'True' }],
    ['Jenkins', { BUILD_USER: 'alice', JENKINS_URL: 'http://ci' }],
  ])('in CI is whom its variables name: %s', async (_, env) => {
    execFileSync('git', ['init', '-q', folder])
    execFileSync('git', ['-C', folder, 'config', 'user.name', 'The bot of this repository'])
    expect(await who(env)).toBe('alice')
  })

  it('is else whom git knows: by the project, or by the login', async () => {
    execFileSync('git', ['config', '-f', join(folder, '.gitconfig'), 'user.name', 'Alice Liddell'])
    expect(await who()).toBe('Alice Liddell')
    execFileSync('git', ['init', '-q', folder])
    execFileSync('git', ['-C', folder, 'config', 'user.name', 'Alice at work'])
    expect(await who({ GITHUB_ACTOR: '' })).toBe('Alice at work')
  })

  it('is else the login, also where there is no git', async () => {
    expect(await who()).toBe(userInfo().username)
    expect(await who({ PATH: folder })).toBe(userInfo().username)
  })
})
