import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { servicesFound } from '../../../test/servers/service.ts'
import { startSite } from './host.ts'

const GIGABYTE = 1024 ** 3
const FILES = 5_000

interface Report {
  readonly measured: Readonly<Record<string, { readonly seconds: number; readonly maxRss: number }>>
  readonly told: readonly { readonly bytes: number; readonly total?: number }[]
}

describe.runIf(servicesFound('sshd'))('much', () => {
  test(
    'a file of 1 GB and a tree of 5,000 files, up and down, in less than 150 MB of memory',
    { timeout: 400_000 },
    async () => {
      await using site = await startSite()
      const giant = join(site.here, 'giant')
      // Sparse but for some bytes here and there: the disk is not what is tested.
      writeFileSync(giant, randomBytes(1_000_000))
      truncateSync(giant, GIGABYTE - 1_000)
      writeFileSync(giant, randomBytes(1_000), { flag: 'a' })
      for (let at = 0; at < FILES; at++) {
        const folder = join(site.here, 'many', `folder ${String(at % 50)}`)
        mkdirSync(folder, { recursive: true })
        writeFileSync(join(folder, `file ${String(at)}`), `content ${String(at)}`)
      }
      const program = fileURLToPath(new URL('transfer-large.mjs', import.meta.url))
      // The peak is of a whole process: what one kind of transfer has left uncollected is not the other's.
      for (const works of [
        ['uploadFile', 'downloadFile'],
        ['uploadDir', 'downloadDir'],
      ]) {
        const args = [program, site.here, site.config, 'connect', ...works]
        const { stdout } = await promisify(execFile)(process.execPath, args)
        const { measured, told } = JSON.parse(stdout) as Report
        console.log(JSON.stringify(measured))
        expect(Object.keys(measured)).toEqual(['connect', ...works])
        for (const [name, { maxRss }] of Object.entries(measured))
          expect(maxRss, `bytes of RSS after ${name}`).toBeLessThan(150 * 1024 ** 2)
        if (works.includes('uploadFile')) expect(told[0]).toMatchObject({ bytes: GIGABYTE, total: GIGABYTE })
        expect(told).toHaveLength(works.length)
        for (const { bytes, total } of told) expect(bytes).toBe(total)
      }
      expect(await hashOf(join(site.sshd.home, 'giant-there'))).toBe(await hashOf(giant))
      expect(await hashOf(join(site.here, 'giant-back'))).toBe(await hashOf(giant))
      expect(statSync(join(site.here, 'giant-back')).size).toBe(GIGABYTE)
      for (const place of [join(site.sshd.home, 'many-there'), join(site.here, 'many-back')]) {
        const names = readdirSync(place, { recursive: true })
        expect(names).toHaveLength(FILES + 50)
        for (let at = 0; at < FILES; at += 499)
          expect(readFileSync(join(place, `folder ${String(at % 50)}`, `file ${String(at)}`), 'utf8')).toBe(
            `content ${String(at)}`,
          )
      }
    },
  )
})

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 }))
    hash.update(chunk as Buffer)
  return hash.digest('hex')
}
