// `npm run bench:transfer [-- rounds]`: a large file and a tree of small ones, up and down, beside the ssh binary and tar.
// The peer verifies too: a transfer that proves nothing is not the same work.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { compare, print, rss } from './ratio.ts'
import { startServer, typed } from './server.ts'

const ROUNDS = Number(process.argv[2] ?? 5)
const MEGABYTES = 200
const FOLDERS = 100
const FILES = 5_000

await using server = await startServer()
const { here, there, shell } = server
const ssh = `ssh ${server.ssh.map((word) => `'${word}'`).join(' ')}`
const quiet = '> /dev/null'

const big = join(here, 'big')
// By pieces: what this program holds itself would be counted as memory of a transfer.
for (let at = 0; at < MEGABYTES; at++) writeFileSync(big, randomBytes(1e6), { flag: 'a' })
const drop = (...paths: readonly string[]) => {
  for (const path of paths) rmSync(path, { recursive: true, force: true })
}
print(
  `${MEGABYTES} MB up`,
  await compare(ROUNDS, [
    {
      name: "sha256sum; ssh 'cat > t && sha256sum t && mv'",
      before: () => drop(join(there, 'peer')),
      run: () =>
        typed(
          `cd '${here}'; sha256sum big ${quiet}; ${ssh} 'cd ${there}; cat > t && sha256sum t && mv t peer' < big ${quiet}`,
        ),
    },
    {
      name: 'uploadFile',
      before: () => drop(join(there, 'ours')),
      run: () => shell.uploadFile('big', 'ours'),
    },
  ]),
)
console.log(`  ${rss()}`)
drop(join(there, 'ours'))
print(
  `${MEGABYTES} MB down`,
  await compare(ROUNDS, [
    {
      name: "ssh 'sha256sum t; cat t' > t; sha256sum; mv",
      before: () => drop(join(here, 'peer')),
      run: () =>
        typed(
          `cd '${here}'; ${ssh} 'cd ${there}; sha256sum peer; cat peer' > t; sha256sum t ${quiet}; mv t peer`,
        ),
    },
    {
      name: 'downloadFile',
      before: () => drop(join(here, 'ours')),
      run: () => shell.downloadFile('peer', 'ours'),
    },
  ]),
)
console.log(`  ${rss()}`)
drop(big, join(here, 'peer'), join(here, 'ours'), join(there, 'peer'))

for (let at = 0; at < FILES; at++) {
  const folder = join(here, 'tree', `folder-${at % FOLDERS}`)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, `file-${at}.txt`), randomBytes(200 + ((at * 7919) % 9_000)))
}
print(
  `${FILES} small files up`,
  await compare(ROUNDS, [
    {
      name: "tar c | ssh 'tar x'",
      before: () => drop(join(there, 'peer')),
      run: () =>
        typed(
          `cd '${here}'; tar -c -f - -C tree . | ${ssh} 'cd ${there}; mkdir peer && tar -x -f - -C peer'`,
        ),
    },
    {
      name: 'uploadDir',
      before: () => drop(join(there, 'ours')),
      run: () => shell.uploadDir('tree', 'ours'),
    },
    {
      name: 'uploadDir, { like } of an equal one (rsync)',
      before: () => drop(join(there, 'again')),
      run: () => shell.uploadDir('tree', 'again', { like: 'ours' }),
    },
  ]),
)
console.log(`  ${rss()}`)
print(
  `${FILES} small files down`,
  await compare(ROUNDS, [
    {
      name: "ssh 'tar c' | tar x",
      before: () => drop(join(here, 'peer')),
      run: () =>
        typed(`cd '${here}'; mkdir peer; ${ssh} 'cd ${there}; tar -c -f - -C peer .' | tar -x -f - -C peer`),
    },
    {
      name: 'downloadDir',
      before: () => drop(join(here, 'ours')),
      run: () => shell.downloadDir('peer', 'ours'),
    },
  ]),
)
console.log(`  ${rss()}`)
