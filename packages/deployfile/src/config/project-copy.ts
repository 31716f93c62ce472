import { existsSync, realpathSync } from 'node:fs'
import path from 'node:path'
import type { Output } from '../render/style.ts'
import { nameAndVersion, ownFolder } from '../version.ts'

/**
 * The program of the copy of deployfile that the project of a config has installed, when that is another one than this: a global one,
 * or what npx fetched. The project's own is the one that its config was written for.
 */
export function projectCopy(file: string, stderr: Output): string | undefined {
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    const copy = path.join(folder, 'node_modules/deployfile')
    const bin = path.join(copy, 'bin/deployfile.js')
    if (existsSync(bin)) {
      if (realpathSync(copy) === realpathSync(ownFolder())) return undefined
      tellOfVersions(copy, stderr)
      return bin
    }
    if (folder === path.dirname(folder)) return undefined
  }
}

function tellOfVersions(copy: string, stderr: Output): void {
  const [own, theirs] = [ownFolder(), copy].map((folder) => nameAndVersion(folder)?.version ?? 'unknown')
  if (own === theirs) return
  stderr.write(
    `deployfile: this is version ${String(own)}; the project has ${String(theirs)}, and that is what runs\n`,
  )
}
