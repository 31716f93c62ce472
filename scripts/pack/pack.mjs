import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stageDeployfile } from './bundle.mjs'
import { repositoryField } from './repository.mjs'

/** Makes the tarballs that are published, one a package, in `folder`. Needs the build. */
export async function packAll(root, folder) {
  const staged = mkdtempSync(join(tmpdir(), 'deployfile-stage-'))
  try {
    mkdirSync(folder, { recursive: true })
    await stageDeployfile(root, join(staged, 'deployfile'))
    const rooms = ['core', 'shell', 'postgres', 'recipes']
    for (const room of rooms) stageRoom(root, room, join(staged, room))
    const folders = ['deployfile', ...rooms].map((name) => join(staged, name))
    // Without scripts, because a pack must need nothing but the build.
    const args = ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder, ...folders]
    const { status } = spawnSync('npm', args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
    if (status !== 0) throw new Error('npm pack failed: run it by hand to see why.')
  } finally {
    rmSync(staged, { recursive: true, force: true })
  }
}

/** A package as it is published: its own files, and where they come from. */
function stageRoom(root, room, folder) {
  const source = join(root, 'packages', room)
  const manifest = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'))
  for (const name of ['dist', 'src', 'README.md', 'LICENSE'])
    cpSync(join(source, name), join(folder, name), { recursive: true })
  const published = { ...manifest, ...repositoryField(root, `packages/${room}`) }
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(published, null, 2)}\n`)
}

// `npm run pack [folder]`
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const folder = resolve(process.argv[2] ?? join(root, 'packed'))
  await packAll(root, folder)
  console.log(`The packages are in ${folder}; publish them with: npm publish ${folder}/NAME.tgz`)
}
