import { spawn } from 'node:child_process'
import type { Readable, Transform } from 'node:stream'
import * as tar from 'tar'
import { localTar, type LocalTar, tarEnvironment } from './local-tar.ts'
import { localFault, refused } from './failure.ts'
import type { Entry } from './walk.ts'

/**
 * Writes a tree into `into` as a tar stream: names, modes, times and links as they are, owners left out. A fault destroys `into`
 * with a Problem. Once `into` is destroyed nothing goes on.
 */
export async function pack(root: string, entries: readonly Entry[], into: Transform): Promise<void> {
  const kind = await localTar()
  if (kind) packByTar(kind, root, entries, into)
  else packHere(root, entries, into)
}

// The names come from us, so that all tars agree on what is left out and in which order; owners are those of the receiver.
const ARGUMENTS = ['-c', '-f', '-', '--null', '--no-recursion']
const OWN: Readonly<Record<'gnu' | 'bsd', readonly string[]>> = {
  gnu: ['--format=gnu', '--owner=0', '--group=0', '--numeric-owner'],
  bsd: [
    '--format=gnutar',
    '--uid',
    '0',
    '--gid',
    '0',
    '--uname',
    '',
    '--gname',
    '',
    '--no-xattrs',
    '--no-acls',
  ],
}

/** 7 times as fast as node-tar for small files (measured), and on another core. */
function packByTar(
  kind: Exclude<LocalTar, undefined>,
  root: string,
  entries: readonly Entry[],
  into: Transform,
): void {
  const child = spawn('tar', [...ARGUMENTS, ...OWN[kind], '-C', root, '-T', '-'], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: tarEnvironment(),
  })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4_000)))
  child.on('error', (cause) => into.destroy(localFault(root, 'read', cause)))
  child.on('close', (code) => {
    if (code === 0) into.end()
    else into.destroy(localFault(root, 'read', new Error(said.trim() || `tar ended with ${String(code)}`)))
  })
  // EPIPE: tar ended early, and its exit code says why.
  child.stdin.on('error', () => undefined)
  child.stdin.end(Buffer.concat(entries.flatMap(({ name }) => [name, NUL])))
  child.stdout.pipe(into, { end: false })
  into.on('close', () => child.kill())
}

const NUL = Buffer.from([0])

function packHere(root: string, entries: readonly Entry[], into: Transform): void {
  const names = entries.map(({ name }) => name.toString())
  const odd = entries.findIndex(({ name }, at) => !name.equals(Buffer.from(names[at] ?? '')))
  if (odd !== -1) {
    const path = `${root}/${names[odd]?.slice(2) ?? ''}`
    into.destroy(
      refused(
        'PROGRAM_MISSING',
        `this machine: ${path} cannot be read: its name is not UTF-8, which needs tar`,
        {
          path,
          hint: 'Install GNU tar or bsdtar on this machine, or rename the file.',
        },
      ),
    )
    return
  }
  const packed = tar.create(
    {
      cwd: root,
      strict: true,
      noDirRecurse: true,
      // node-tar's `portable` would also take write permission from groups; this drops only what belongs to this machine.
      onWriteEntry(entry) {
        if (entry.stat) {
          Object.assign(entry.stat, { uid: 0, gid: 0, atime: undefined, ctime: undefined })
          Object.assign(entry.stat, { dev: undefined, ino: undefined, nlink: undefined })
        }
        entry.myuser = ''
      },
    },
    names,
  ) as unknown as Readable
  packed.on('error', (cause: unknown) => into.destroy(localFault(root, 'read', cause)))
  packed.pipe(into)
}
