import { existsSync, readFileSync, readdirSync, readlinkSync } from 'node:fs'

const LISTEN = '0A'

/** Every listening TCP socket of the machine as the kernel lists it: `address:port` (in its hex) → inode. */
export function listeners() {
  const found = new Map()
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    if (!existsSync(table)) continue
    for (const line of readFileSync(table, 'utf8').split('\n').slice(1)) {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/)
      if (state !== LISTEN) continue
      const [address, port] = local.split(':')
      found.set(`${address}:${Number.parseInt(port, 16)}`, inode)
    }
  }
  return found
}

/** Which program holds each of these sockets, as far as this user may see. */
export function ownersOf(inodes) {
  const wanted = new Map(inodes.map((inode) => [`socket:[${inode}]`, inode]))
  const owners = new Map()
  if (wanted.size === 0) return owners
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    for (const target of links(`/proc/${pid}/fd`)) {
      const inode = wanted.get(target)
      if (inode !== undefined) owners.set(inode, programOf(pid))
    }
  }
  return owners
}

function programOf(pid) {
  try {
    return readlinkSync(`/proc/${pid}/exe`)
  } catch {
    return `process ${pid}`
  }
}

/** A process may end while it is being looked at; then it holds nothing. */
function links(folder) {
  try {
    return readdirSync(folder).map((name) => readlinkSync(`${folder}/${name}`))
  } catch {
    return []
  }
}
