import { defineConfig, perStage, task, type PerHost } from '@deployfile/core'
import { describe, expectTypeOf, it } from 'vitest'
import {
  archive,
  deploy,
  directory,
  git,
  passenger,
  type Flip,
  type Migration,
  type Release,
} from '../../src/index.ts'

const base = { application: 'a', repository: 'g', deployTo: '/x' }

describe('what a task sees of a deploy', () => {
  const app = deploy({ ...base, branch: 'main', restart: passenger(), migrate: 'rake db:migrate' })

  it('is its own host’s release, or all of them on the control machine', () => {
    task('warm', {
      on: 'web',
      needs: { release: app.tasks.release, flip: app.tasks.publish, migrated: app.tasks.migrate },
      run({ needs }) {
        expectTypeOf(needs.release).toEqualTypeOf<Release>()
        expectTypeOf(needs.flip).toEqualTypeOf<Flip>()
        expectTypeOf(needs.migrated).toEqualTypeOf<Migration | undefined>()
      },
    })
    task('report', {
      needs: { release: app.tasks.release },
      run({ needs }) {
        expectTypeOf(needs.release).toEqualTypeOf<PerHost<Release>>()
      },
    })
  })
})

describe('tables of options', () => {
  const partial = deploy({ ...base, branch: perStage({ staging: 'staging', production: 'master' }) })
  const whole = deploy({
    ...base,
    branch: perStage({ production: 'master', default: 'main' }),
    keepReleases: () => 3,
  })
  const hosts = { web1: { roles: ['web'] } }

  it('must answer for every stage', () => {
    defineConfig({ stages: { staging: { hosts }, production: { hosts } }, use: [partial] })
    defineConfig({ stages: { dev: { hosts }, production: { hosts } }, use: [whole] })
    // @ts-expect-error -- the table has no entry for 'dev'
    defineConfig({ stages: { dev: { hosts }, production: { hosts } }, use: [partial] })
  })
})

describe('a source that is no repository', () => {
  const elsewhere = { application: 'a', deployTo: '/x' }
  it('needs neither repository nor branch', () => {
    deploy({ ...elsewhere, source: directory({ path: 'dist' }) })
    deploy({ ...elsewhere, source: (stage) => archive({ file: `${stage.name}.tgz`, sha256: '' }) })
    deploy({ ...base, branch: 'main', source: git({ submodules: true }) })
    // @ts-expect-error -- git needs them
    deploy({ ...elsewhere, source: git() })
    // @ts-expect-error -- either a url or a file
    archive({ url: 'https://example.com/a.tgz', file: 'a.tgz', sha256: '' })
  })
})

describe('mistakes', () => {
  it('do not compile', () => {
    // @ts-expect-error -- branch is missing
    deploy({ ...base })
    // @ts-expect-error -- there is no such option
    deploy({ ...base, branch: 'main', linkedFile: ['a'] })
    // @ts-expect-error -- migrations run on one host
    deploy({ ...base, branch: 'main', migrateOn: { role: 'db' } })
    const other = task('other', { on: { role: 'db', pick: 'primary' }, run: () => ({}) })
    // @ts-expect-error -- a migrate task takes the name deploy:migrate
    deploy({ ...base, branch: 'main', migrate: () => other })
  })
})
