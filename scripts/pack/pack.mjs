import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stageDeployfile } from './bundle.mjs'

/** Makes the tarballs that are published, one a package, in `folder`. Needs the build. */
export async function packAll(root, folder) {
  const staged = mkdtempSync(join(tmpdir(), 'deployfile-stage-'))
  try {
    mkdirSync(folder, { recursive: true })
    await stageDeployfile(root, staged)
    const rooms = ['core', 'shell', 'postgres', 'recipes'].map((room) => `./packages/${room}`)
    // Without scripts, because a pack must need nothing but the build.
    const args = ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder, ...rooms, staged]
    const { status } = spawnSync('npm', args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
    if (status !== 0) throw new Error('npm pack failed: run it by hand to see why.')
  } finally {
    rmSync(staged, { recursive: true, force: true })
  }
}

// `npm run pack [folder]`
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const folder = resolve(process.argv[2] ?? join(root, 'packed'))
  await packAll(root, folder)
  console.log(`The packages are in ${folder}; publish them with: npm publish ${folder}/NAME.tgz`)
}
