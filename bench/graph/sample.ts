// One measurement in a process of its own, so that no scheduler runs on another one's heap: prints CPU microseconds and bytes a node.
import { schedulers } from './schedulers.ts'
import { shapes } from './shapes.ts'

const [, , name = '', shape = '', count = ''] = process.argv
const size = Number(count)
const scheduler = schedulers[name]
const needsOf = shapes[shape]
if (!scheduler || !needsOf || !(size > 0)) throw new Error(`no such measurement: ${name}, ${shape}, ${count}`)
const needs = Array.from({ length: size }, (_, node) => needsOf(node, size))
globalThis.gc?.()
const memory = process.memoryUsage.rss()
const before = process.cpuUsage()
const ran = await scheduler(needs)
const { user, system } = process.cpuUsage(before)
const bytes = process.memoryUsage.rss() - memory
if (ran !== size) throw new Error(`ran ${ran} of ${size} nodes`)
console.log(JSON.stringify({ micros: (user + system) / size, bytes: bytes / size }))
