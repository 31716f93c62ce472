import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Packs every workspace as `npm publish` would and hands over the tarballs: what users get is judged, not the folder.
 * `--ignore-scripts`, because a pack must need nothing but the build that has just run.
 */
export function packedPackages(root, judge) {
  const folder = mkdtempSync(join(tmpdir(), 'deployfile-pack-'))
  try {
    const pack = spawnSync(
      'npm',
      ['pack', '--workspaces', '--ignore-scripts', '--silent', '--pack-destination', folder],
      { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] },
    )
    if (pack.status !== 0) {
      console.error('npm pack --workspaces failed: run it by hand to see why.')
      return false
    }
    const files = readdirSync(folder).sort()
    return judge(files.map((file) => join(folder, file)))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
