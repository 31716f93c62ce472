// Loaded into a process of deployfile before anything else: kills it, as SIGKILL or a power cut would, while it writes the event with
// the number KILL_AT of its log; after all of that line, or (KILL_HOW=half) in the middle of it.
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

const at = Number(process.env['KILL_AT'])
const { openSync, writeSync } = fs
let file
let line = 0

fs.openSync = (path, ...rest) => {
  const opened = openSync(path, ...rest)
  if (String(path).endsWith('/events.jsonl') && rest[0] === 'a') file = opened
  return opened
}

fs.writeSync = (target, data, ...rest) => {
  if (target !== file || typeof data !== 'string') return writeSync(target, data, ...rest)
  const lines = data.split(/(?<=\n)/)
  const last = at - line - 1
  line += lines.length
  if (last >= lines.length) return writeSync(target, data, ...rest)
  const torn = process.env['KILL_HOW'] === 'half' ? lines[last].slice(0, lines[last].length / 2) : lines[last]
  writeSync(target, [...lines.slice(0, last), torn].join(''))
  process.kill(process.pid, 'SIGKILL')
  // The signal is on its way; nothing more may happen.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}

syncBuiltinESMExports()
