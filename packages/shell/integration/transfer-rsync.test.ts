import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { CommandEvent } from '@deployfile/core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { servicesFound } from '../../../test/servers/service.ts'
import { problemOf, until } from '../test/contract.ts'
import { hostNamed, shellOf, type Site, startSite } from './host.ts'
import { startProxy } from '../../../test/servers/proxy.ts'

describe.runIf(servicesFound('sshd', 'rsync'))('a tree that is like another one over there', () => {
  let site: Site
  let events: CommandEvent[]
  const shell = (signal?: AbortSignal, host = hostNamed('web1')) =>
    shellOf(site.shells, host, signal, (event) => events.push(event))
  beforeAll(async () => {
    site = await startSite()
    const from = join(site.here, 'tree')
    mkdirSync(join(from, '.dot/inner'), { recursive: true })
    mkdirSync(join(from, 'empty'), { mode: 0o711 })
    mkdirSync(join(from, 'node_modules/x'), { recursive: true })
    for (let at = 0; at < 20; at++) writeFileSync(join(from, `file ${String(at)}`), randomBytes(100_000))
    writeFileSync(join(from, 'run'), '#!/bin/sh\n')
    chmodSync(join(from, 'run'), 0o775)
    writeFileSync(join(from, '.dot/inner/-rf\n*'), 'odd')
    writeFileSync(Buffer.concat([Buffer.from(`${from}/`), Buffer.from([0x62, 0xff])]), 'bytes')
    linkSync(join(from, 'run'), join(from, 'run-too'))
    symlinkSync('run', join(from, 'link'))
    symlinkSync('/no/where', join(from, 'dangling'))
    chmodSync(from, 0o750)
    const first = shellOf(site.shells, hostNamed('web1'))
    await first.mkdir('releases')
    await first.uploadDir('tree', 'releases/1', { exclude: ['node_modules'] })
  })
  afterAll(() => site[Symbol.asyncDispose]())
  beforeEach(() => (events = []))

  const sent = (): number => Math.max(...events.map((event) => (event.type === 'transfer' ? event.bytes : 0)))
  const releases = (): string[] => readdirSync(join(site.sshd.home, 'releases'))

  test('only what differs travels, and the tree is the same as by tar', async () => {
    await shell().uploadDir('tree', 'releases/2', { like: 'releases/1', exclude: ['node_modules'] })
    expect(sent()).toBeLessThan(20_000)
    expect(listing(join(site.sshd.home, 'releases/2'))).toEqual(listing(join(site.sshd.home, 'releases/1')))
    expect(lstatSync(join(site.sshd.home, 'releases/2/run-too')).nlink).toBe(2)
    // Nothing is shared with the one it is like: what is written into one must not show in the other.
    expect(lstatSync(join(site.sshd.home, 'releases/2/file 1')).nlink).toBe(1)
    expect(releases().sort()).toEqual(['1', '2'])
    const texts = events.flatMap((event) => (event.type === 'command.started' ? [event.text] : []))
    expect(texts).toContain('rsync --server')
  })

  test('a file that was changed without changing size and time travels too', async () => {
    const path = join(site.here, 'tree/file 3')
    const { atime, mtime } = lstatSync(path)
    const other = randomBytes(100_000)
    writeFileSync(path, other)
    utimesSync(path, atime, mtime)
    await shell().uploadDir('tree', 'releases/3', { like: 'releases/2', exclude: ['node_modules'] })
    expect(readFileSync(join(site.sshd.home, 'releases/3/file 3')).equals(other)).toBe(true)
    expect(sent()).toBeGreaterThan(90_000)
    expect(sent()).toBeLessThan(200_000)
  })

  test('without the folder that it is like, all of it travels', async () => {
    await shell().uploadDir('tree', 'releases/4', { like: 'releases/none', exclude: ['node_modules'] })
    expect(sent()).toBeGreaterThan(2_000_000)
    expect(listing(join(site.sshd.home, 'releases/4'))).toEqual(listing(join(site.sshd.home, 'releases/3')))
  })

  test('paths of any spelling, from any folder', async () => {
    const odd = join(site.sshd.home, 'it\'s $HOME; "x" *')
    mkdirSync(odd)
    const there = shell().with({ cwd: odd })
    await there.uploadDir('tree', '-to it', { like: '../releases/4', exclude: ['node_modules'] })
    await there.uploadDir('tree', "b'2", { like: '-to it', exclude: ['node_modules'] })
    expect(sent()).toBeLessThan(20_000)
    expect(listing(join(odd, "b'2"))).toEqual(listing(join(site.sshd.home, 'releases/4')))
    expect(readdirSync(odd).sort()).toEqual(['-to it', "b'2"])
  })

  test('without rsync over there it travels as a whole', async () => {
    // A PATH without it, but with all else that is needed.
    const bin = join(site.sshd.root, 'bin')
    mkdirSync(bin)
    for (const folder of ['/usr/bin', '/bin'])
      for (const name of readdirSync(folder)) {
        if (name === 'rsync') continue
        try {
          symlinkSync(join(folder, name), join(bin, name))
        } catch {
          // Both folders are one on a merged system.
        }
      }
    await using poor = await startSite({ config: [`SetEnv PATH=${bin}`] })
    const there = shellOf(poor.shells, hostNamed('web1'), undefined, (event) => events.push(event))
    mkdirSync(join(poor.here, 'small'))
    writeFileSync(join(poor.here, 'small/file'), 'x')
    await there.uploadDir('small', 'small', { like: 'none' })
    expect(readFileSync(join(poor.sshd.home, 'small/file'), 'utf8')).toBe('x')
    const texts = events.flatMap((event) => (event.type === 'command.started' ? [event.text] : []))
    expect(texts).not.toContain('rsync --server')
  })

  test('a target that is taken is refused before anything travels', async () => {
    const problem = await problemOf(shell().uploadDir('tree', 'releases/1', { like: 'releases/2' }))
    expect(problem.message).toBe('web1: releases/1 cannot be written: it exists and is not empty')
    expect(events.some((event) => event.type === 'transfer')).toBe(false)
  })

  test('a cancelled one, and one whose link breaks, leave nothing', async () => {
    const stop = new AbortController()
    const cancelled = problemOf(
      shellOf(site.shells, hostNamed('web1'), stop.signal, (event) => {
        if (event.type === 'transfer') stop.abort()
      }).uploadDir('tree', 'releases/5', { like: 'releases/none' }),
    )
    expect((await cancelled).code).toBe('COMMAND_CANCELLED')
    await using proxy = await startProxy(site.sshd.port)
    const host = hostNamed('web1', { port: proxy.port, hostKey: [site.sshd.hostKeyFingerprint] })
    proxy.breakAfter('up', 500_000, 'reset')
    const lost = await problemOf(
      shell(undefined, host).uploadDir('tree', 'releases/5', { like: 'releases/none' }),
    )
    expect(lost.code).toBe('CONNECTION_LOST')
    proxy.mend()
    await until(() => releases().every((name) => !name.includes('5')))
  })
})

function listing(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'latin1' })
    .concat('.')
    .sort()
    .map((name) => {
      const path = Buffer.from(`${folder}/${name}`, 'latin1')
      const found = lstatSync(path)
      const content = found.isSymbolicLink()
        ? readlinkSync(path)
        : found.isFile()
          ? `${String(found.size)} ${String(Math.floor(found.mtimeMs / 1000))}`
          : ''
      return `${name} ${found.mode.toString(8)} ${content}`
    })
}
