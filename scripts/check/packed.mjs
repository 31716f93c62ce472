import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packAll } from '../pack/pack.mjs'

/** Packs every package as it is published and hands over the tarballs: what users get is judged, not the folder. */
export async function packedPackages(root, judge) {
  const folder = mkdtempSync(join(tmpdir(), 'deployfile-pack-'))
  try {
    await packAll(root, folder)
    const files = readdirSync(folder).sort()
    return judge(files.map((file) => join(folder, file)))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
