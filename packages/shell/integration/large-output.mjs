// One program that takes much output over one connection, and says how much memory that took: a test runner's own would drown it.
// node large-output.mjs <folder> <ssh_config> <case>; prints a line of JSON.
import { Writable } from 'node:stream'
import { reveal, secret } from '@deployfile/core'
import { createShells } from '@deployfile/shell'

const GIGABYTE = 1024 ** 3
const [root = '', sshConfig = '', which = ''] = process.argv.slice(2)
// A known secret, so that every byte is looked at.
process.env['LARGE_SECRET'] = 'not-in-these-gigabytes'
reveal(secret.env('LARGE_SECRET'))
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
let lines = 0
const shell = shells.remote(host, {
  signal: new AbortController().signal,
  emit: (event) => {
    if (event.type === 'command.output') lines++
  },
})
let taken = 0
const sink = () =>
  new Writable({
    write(chunk, _encoding, done) {
      taken += chunk.length
      setImmediate(done)
    },
  })
async function* gigabyte() {
  const piece = Buffer.alloc(1024 ** 2)
  for (let at = 0; at < 1024; at++) yield piece
}
const cases = {
  captured: () => shell.sh`yes 'a line of about fifty bytes, as programs print it' | head -c ${GIGABYTE}`,
  'one line': () => shell.sh`head -c ${GIGABYTE} /dev/zero | tr '\0' x`,
  'into a stream': () => shell.with({ output: sink() }).sh`head -c ${GIGABYTE} /dev/zero`,
  'from a stream': () => shell.with({ input: gigabyte() }).sh`wc -c`,
}
await shell.sh`true`
const before = process.resourceUsage().maxRSS * 1024
const begun = performance.now()
const { stdout, truncated } = await cases[which]()
console.log(
  JSON.stringify({
    before,
    // The highest so far.
    maxRss: process.resourceUsage().maxRSS * 1024,
    seconds: Math.round(performance.now() - begun) / 1000,
    truncated,
    kept: stdout.length,
    stdout: stdout.slice(0, 40),
    lines,
    taken,
  }),
)
await shells.close()
