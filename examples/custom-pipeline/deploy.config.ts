import { all, defineConfig, group, optional, override, task } from 'deployfile'
import { deploy } from 'deployfile/recipes'

const app = deploy({
  application: 'custom-pipeline',
  repository: 'git@git.example.com:custom-pipeline.git',
  branch: 'main',
  deployTo: '/srv/custom-pipeline',
})

// Before anything: a result that others get typed.
const test = task('quality:test', {
  desc: 'Run the tests of what is checked out here',
  effect: 'read',
  run: async ({ local }) => {
    await local.sh`node --test`
    return { passed: true }
  },
})

// Takes the place of the recipe's own task everywhere; `base` is the original. Here: nothing is deployed that is not tested.
const revision = override(app.tasks.revision, {
  needs: { tests: test },
  async run({ base, needs, log }) {
    const found = await base()
    log(`${found.revision.slice(0, 10)}: tests ${needs.tests.passed ? 'passed' : 'failed'}`)
    return found
  },
})

// What it brings, looked at while the old release is still live.
const changes = task('changes:list', {
  desc: 'List the commits between the live release and the new one',
  on: { role: 'app', pick: 'primary' },
  effect: 'read',
  needs: { release: app.tasks.release },
  async run({ remote, needs }) {
    const { previous, path, revision: to } = needs.release
    if (previous === undefined) return { commits: ['the first release'] }
    const from = await remote.capture`cat ${`${previous}/REVISION`}`
    const log = await remote.capture`git -C ${`${path}/../../repo`} log --format=%s ${`${from}..${to}`}`
    return { commits: log === '' ? [] : log.split('\n') }
  },
})

// Last, and never a reason to fail: a summary for people. A real one posts it to a chat.
const notify = task('notify', {
  desc: 'Tell what was deployed',
  effect: 'read',
  onError: 'warn',
  needs: { finished: app.tasks.healthy, releases: all(app.tasks.release), changes: optional(changes) },
  async run({ needs, local, run, stage }) {
    const [first] = needs.releases
    const hosts = needs.releases.map(({ host }) => host.name).join(', ')
    const summary = [
      `${run.user} deployed ${first?.value.revision.slice(0, 10) ?? ''} to ${stage.name} (${hosts}):`,
      ...(needs.changes?.commits ?? []).map((subject) => `- ${subject}`),
    ]
    await local.writeFile('summary.txt', `${summary.join('\n')}\n`)
  },
  preview: ({ log }) => log('would tell what was deployed'),
})

export default defineConfig({
  stages: {
    production: { protected: true, hosts: { 'app.example.com': { roles: ['app'], user: 'deploy' } } },
  },
  defaultStage: 'production',
  use: [app],
  tasks: [
    revision,
    test,
    changes,
    notify,
    group('ship', { deploy: app.tasks.deploy, notify }, { desc: 'Deploy, and tell' }),
  ],
  before: { 'deploy:publishing': [changes] },
})
