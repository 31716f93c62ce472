import { chmodSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeSite, type Site } from './site.ts'

let site: Site
let path: string | undefined
beforeEach(() => {
  site = makeSite()
  path = process.env['PATH']
})
afterEach(async () => {
  process.env['PATH'] = path
  await site[Symbol.asyncDispose]()
})

/** Stands before the hosts' own program; test/e2e/deploy-faults.test.ts has a disk that is really full. */
function standIn(program: string, script: string): void {
  site.web1.write(`../../bin/${program}`, `#!/bin/sh\n${script}\n`)
  chmodSync(`${site.path}/bin/${program}`, 0o755)
  process.env['PATH'] = `${site.path}/bin:${path ?? ''}`
}

/** df as POSIX has it: kilobytes with -Pk, inodes with -Pi. */
function disk(kilobytes: number | string, inodes: number | string, allInodes = 1_000_000): void {
  standIn(
    'df',
    `echo 'Filesystem 1024-blocks Used Available Capacity Mounted on'
case $1 in
  -Pk) echo '/dev/sda1 99999999 1 ${String(kilobytes)} 1% /' ;;
  -Pi) echo '/dev/sda1 ${String(allInodes)} 1 ${String(inodes)} 1% /' ;;
esac`,
  )
}

describe('room on a host', () => {
  it('too little is told before anything is made, with how much there is and what to do', async () => {
    disk(64 * 1024 - 1, 1_000_000)
    const ran = await site.run('deploy')
    expect(ran.problems).toEqual([
      `check HOST_NOT_READY: db1: there are only 63 MB free for ${site.db1.deployTo}`,
      `check HOST_NOT_READY: web1: there are only 63 MB free for ${site.web1.deployTo}`,
    ])
    expect(ran.hints[0]).toBe('Make room there: old files in shared, or keepReleases.')
    expect(site.web1.list('')).toEqual(['shared'])
  })

  it('so are too few inodes, which run out before the disk is full', async () => {
    disk(10_000_000, 1999)
    const ran = await site.run('deploy')
    expect(ran.problems[1]).toBe(
      `check HOST_NOT_READY: web1: there are only 1999 inodes free for ${site.web1.deployTo}`,
    )
    expect(ran.hints[1]).toContain('many small ones use inodes up')
  })

  it.each([
    ['just enough', 64 * 1024, 2000, 1_000_000],
    ['no count of inodes, as btrfs has none', 10_000_000, 0, 0],
    ['a dash for the count of inodes', 10_000_000, '-', 1_000_000],
  ])('%s is fine', async (_, kilobytes, inodes, allInodes) => {
    disk(kilobytes, inodes, allInodes)
    expect((await site.run('deploy')).problems).toEqual([])
  })

  it('a df that cannot tell keeps nobody from deploying', async () => {
    standIn('df', 'exit 1')
    expect((await site.run('deploy')).problems).toEqual([])
  })
})

describe('the clock of a host', () => {
  const shifted = (seconds: number): void => {
    standIn('date', `PATH=\${PATH#*:}\nexec date -d '${String(seconds)} seconds' "$@"`)
  }
  const said = (logs: readonly string[]): readonly string[] =>
    logs.filter((line) => line.includes('the clock of'))

  it.each([
    [3600, '60 minutes ahead of'],
    [-600, '10 minutes behind'],
  ])('that is %i seconds off is told, and the deploy goes on', async (seconds, how) => {
    shifted(seconds)
    const ran = await site.run('deploy')
    expect(ran.problems).toEqual([])
    expect(said(ran.logs)).toContain(`deploy:check@web1: the clock of web1 is ${how} that of this machine`)
  })

  it('that is a minute off is fine', async () => {
    shifted(60)
    const ran = await site.run('deploy')
    expect(ran.problems).toEqual([])
    expect(said(ran.logs)).toEqual([])
  })
})
