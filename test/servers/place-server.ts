import { chmodSync, cpSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

/**
 * Copies a server that npm has brought to where an unprivileged user may run it: the clone may be in a folder that nobody else can
 * enter. Returns the folder of its programs.
 */
export function placeServer(files: string, folder: string): string {
  cpSync(join(files, 'native'), join(folder, 'native'), { recursive: true, verbatimSymlinks: true })
  // npm packages cannot hold links; the package makes them after its installation, when scripts may run.
  const links = JSON.parse(readFileSync(join(files, 'native/pg-symlinks.json'), 'utf8')) as readonly {
    readonly source: string
    readonly target: string
  }[]
  for (const { source, target } of links) {
    rmSync(join(folder, target), { force: true })
    symlinkSync(relative(dirname(target), source), join(folder, target))
  }
  const bin = join(folder, 'native/bin')
  for (const program of readdirSync(bin)) chmodSync(join(bin, program), 0o755)
  return bin
}
