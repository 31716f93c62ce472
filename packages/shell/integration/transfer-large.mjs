// One program that moves files over one connection, and says how much memory that took: a test runner's own would drown it.
// node transfer-large.mjs <folder> <ssh_config> <what…>; prints a line of JSON.
import { createShells } from '@deployfile/shell'

const [root = '', sshConfig = '', ...wanted] = process.argv.slice(2)
const shells = createShells({ root, sshConfig })
const host = {
  name: 'web1',
  stage: 'production',
  roles: [],
  transport: /** @type {const} */ ('ssh'),
  address: 'web1',
  primary: true,
  props: {},
}
let last
const shell = shells.remote(host, {
  signal: new AbortController().signal,
  emit: (event) => {
    if (event.type === 'transfer') last = event
  },
})
const told = []
const measured = {}
const works = {
  connect: () => shell.exists('x'),
  uploadFile: () => shell.uploadFile('giant', 'giant-there'),
  downloadFile: () => shell.downloadFile('giant-there', 'giant-back'),
  uploadDir: () => shell.uploadDir('many', 'many-there'),
  downloadDir: () => shell.downloadDir('many-there', 'many-back'),
}
for (const [name, work] of Object.entries(works)) {
  if (!wanted.includes(name)) continue
  const begun = performance.now()
  await work()
  measured[name] = {
    seconds: Math.round(performance.now() - begun) / 1000,
    // The highest so far; kilobytes.
    maxRss: process.resourceUsage().maxRSS * 1024,
  }
  if (last) told.push(last)
}
await shells.close()
console.log(JSON.stringify({ measured, told }))
