import { resolve } from 'node:path'
import { passable } from '../command/quote.ts'

/**
 * A path of this machine as it was given for a transfer, from the folder where such paths start. `other`: the host's, which is looked at
 * here too, so that neither side is touched when one of them can be no path.
 * @throws Problem `VALUE_UNQUOTABLE` (usage)
 */
export function localPath(root: string, path: string, other: string): string {
  passable(other, 'a path')
  return resolve(root, passable(path, 'a path'))
}
