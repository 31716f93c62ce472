import { readFileSync, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'

const LIMIT = 400

/** A file of more than 400 lines holds more than one concern: it wants to be split, not scrolled. */
export function checkFileLengths(root) {
  const packages = join(root, 'packages')
  const long = readdirSync(packages)
    .flatMap((name) => sources(join(packages, name, 'src')))
    .map((file) => ({ file: relative(root, file), lines: readFileSync(file, 'utf8').split('\n').length - 1 }))
    .filter(({ lines }) => lines > LIMIT)
  for (const { file, lines } of long) {
    console.error(`${file} has ${lines} lines, more than ${LIMIT}: split it by concern.`)
  }
  return long.length === 0
}

function sources(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
}
