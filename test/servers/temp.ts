import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TempFolder extends AsyncDisposable {
  readonly path: string
  remove(): Promise<void>
}

/**
 * A folder of this test's own, 0700, under the system's temp directory. `await using folder = tempFolder('cli')` removes it
 * however the test ends; in a `beforeAll` it is handed to `afterAll`. What is forgotten goes when the test file's process ends.
 */
export function tempFolder(name = 'test', parent = tmpdir()): TempFolder {
  const path = mkdtempSync(join(parent, `deployfile-${name}-`))
  const remove = (): Promise<void> => {
    process.off('exit', removeNow)
    removeNow()
    return Promise.resolve()
  }
  const removeNow = (): void => rmSync(path, { recursive: true, force: true, maxRetries: 3, retryDelay: 50 })
  process.once('exit', removeNow)
  return { path, remove, [Symbol.asyncDispose]: remove }
}
