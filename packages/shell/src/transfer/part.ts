import { createHash, type Hash, randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { isProblem } from '@deployfile/core'
import { localFault, refused } from './failure.ts'

/**
 * What has arrived of a file, beside the name it shall get. Its own name says of which version of which file it is and who is
 * writing it, so that a later download can continue it: `.dump.200000000-1763870000.1f2e3d4c.4711-1.part`.
 */
export interface Part {
  /** Bytes of it that are the beginning of the file. */
  readonly bytes: number
  /** Size and time of change of the file they are from: `200000000 1763870000`. */
  readonly version: string | undefined
  write(chunk: Buffer): Promise<void>
  /** Another version is coming: what is there counts no more. */
  restart(version: string): Promise<void>
  sha256(): string
  /** Checked and renamed by now: it has its final name. */
  land(mode: number): Promise<void>
  /** `keep`: for a later download of the same version. */
  leave(keep: boolean): Promise<void>
}

/**
 * @param source tells apart files that are downloaded to the same name: host and path.
 * @throws Problem `WRONG_KIND` (task) when something that is no file has the name; those of {@link localFault}
 */
export async function openPart(to: string, source: string, resume: boolean): Promise<Part> {
  await refuseTaken(to)
  const folder = dirname(to)
  const stem = `.${shortened(basename(to))}.`
  const mark = createHash('sha256').update(source).digest('hex').slice(0, 8)
  let path = join(folder, `${stem}${randomBytes(6).toString('hex')}.part`)
  let version: string | undefined
  let bytes = 0
  let hash = createHash('sha256')
  let file: FileHandle
  try {
    await mkdir(folder, { recursive: true })
    const left = resume ? await claim(folder, stem, mark, path) : undefined
    file = await open(path, left === undefined ? 'wx+' : 'r+', 0o600)
    if (left !== undefined) {
      version = left
      bytes = (await file.stat()).size
      hash = await hashOf(path)
    }
  } catch (cause) {
    throw localFault(to, 'written', cause)
  }
  const own = `${String(process.pid)}-${String(++parts)}`
  const named = async (owner: string): Promise<void> => {
    if (!resume || version === undefined) return
    const name = join(folder, `${stem}${version.replace(' ', '-')}.${mark}.${owner}.part`)
    await rename(path, name)
    path = name
  }
  const failing = async (act: () => Promise<void>): Promise<void> => {
    try {
      await act()
    } catch (cause) {
      throw isProblem(cause) ? cause : localFault(to, 'written', cause)
    }
  }
  await failing(() => named(own))
  return {
    get bytes() {
      return bytes
    },
    get version() {
      return version
    },
    write: (chunk) =>
      failing(async () => {
        for (let done = 0; done < chunk.length;)
          done += (await file.write(chunk, done, chunk.length - done, bytes + done)).bytesWritten
        hash.update(chunk)
        bytes += chunk.length
      }),
    restart: (next) =>
      failing(async () => {
        if (bytes > 0) await file.truncate(0)
        bytes = 0
        hash = createHash('sha256')
        if (version === next) return
        version = next
        await named(own)
      }),
    sha256: () => hash.copy().digest('hex'),
    land: (mode) =>
      failing(async () => {
        await file.chmod(mode)
        // A name that survives a power cut with no content behind it would be worse than none.
        await file.sync()
        await file.close()
        await rename(path, to)
      }),
    async leave(keep) {
      await file.close().catch(() => undefined)
      if (keep && resume && version !== undefined && bytes > 0)
        await named(String(NOBODY)).catch(() => undefined)
      else await rm(path, { force: true })
    },
  }
}

/** Of this process, so that two downloads to one name have a part each. */
let parts = 0

/** Of a part that is waiting to be continued. No process has the number 0. */
const NOBODY = 0

/** Takes over what an earlier download left: by rename, so that only one of two takes it. Returns its version. */
async function claim(folder: string, stem: string, mark: string, own: string): Promise<string | undefined> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith(stem)) continue
    const match = /^(\d+)-(\d+)\.([0-9a-f]{8})\.(\d+)(?:-\d+)?\.part$/.exec(name.slice(stem.length))
    if (!match || match[3] !== mark || alive(Number(match[4]))) continue
    try {
      await rename(join(folder, name), own)
      return `${match[1] ?? ''} ${match[2] ?? ''}`
    } catch {
      // Somebody else was quicker.
    }
  }
  return undefined
}

function alive(pid: number): boolean {
  if (pid === NOBODY) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function hashOf(path: string): Promise<Hash> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 }))
    hash.update(chunk as Buffer)
  return hash
}

// With all that is added the name must stay below 255 bytes.
function shortened(name: string): string {
  return Buffer.byteLength(name) > 150 ? createHash('sha256').update(name).digest('hex').slice(0, 40) : name
}

/** @throws Problem `WRONG_KIND` (task): it would be found out only when all has arrived */
export async function refuseTaken(to: string): Promise<void> {
  const found = await lstat(to).catch(() => undefined)
  if (!found || found.isFile() || found.isSymbolicLink()) return
  const reason = found.isDirectory() ? 'it is a folder' : 'it is no regular file'
  throw refused('WRONG_KIND', `this machine: ${to} cannot be written: ${reason}`, { path: to })
}
