import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TempFolder extends AsyncDisposable {
  readonly path: string
  remove(): Promise<void>
}

// One listener for all of them: Node warns of more than ten.
const forgotten = new Set<string>()
let listening = false

function removeNow(path: string): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 3, retryDelay: 50 })
}

/**
 * A folder of this test's own, 0700, under the system's temp directory. `await using folder = tempFolder('cli')` removes it
 * however the test ends; in a `beforeAll` it is handed to `afterAll`. What is forgotten goes when the test file's process ends.
 */
export function tempFolder(name = 'test', parent = tmpdir()): TempFolder {
  const path = mkdtempSync(join(parent, `deployfile-${name}-`))
  const remove = (): Promise<void> => {
    forgotten.delete(path)
    removeNow(path)
    return Promise.resolve()
  }
  if (!listening) process.once('exit', () => forgotten.forEach(removeNow))
  listening = true
  forgotten.add(path)
  return { path, remove, [Symbol.asyncDispose]: remove }
}
