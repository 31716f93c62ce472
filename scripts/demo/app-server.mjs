#!/usr/bin/env node
// Stands in for Passenger where there is none: node scripts/demo/app-server.mjs <deploy_to> [port]
// It keeps one worker of current/app.mjs and follows Passenger's documented rule: at a request, when current/tmp/restart.txt has
// another modification time than when the worker was started, the app is started anew from what `current` is then. Without that a
// worker goes on serving the release that it was started from, which is what a deploy that forgets to restart looks like.
// It ends on SIGTERM, and when its standard input is closed, so that it can't outlive whoever started it.
import { spawn } from 'node:child_process'
import { statSync } from 'node:fs'
import { createServer, request as ask } from 'node:http'
import { join } from 'node:path'

const [deployTo, port = '0'] = process.argv.slice(2)
const app = join(deployTo, 'current/app.mjs')
const restartFile = join(deployTo, 'current/tmp/restart.txt')

/** @type {{ process: import('node:child_process').ChildProcess, port: Promise<number>, restartedAt: number } | undefined} */
let worker

/** Zero when the file is not there: an app that was never told to restart. */
function restartTime() {
  return statSync(restartFile, { throwIfNoEntry: false })?.mtimeMs ?? 0
}

function start() {
  const child = spawn(process.execPath, [app], {
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const listens = new Promise((resolve, reject) => {
    let said = ''
    const hear = (text) => {
      said += text
      const match = /listens on http:\/\/127\.0\.0\.1:(\d+)/.exec(said)
      if (match) resolve(Number(match[1]))
    }
    child.stdout.setEncoding('utf8').on('data', hear)
    child.stderr.setEncoding('utf8').on('data', hear)
    child.on('error', reject)
    child.on('exit', (code) => {
      if (worker?.process === child) worker = undefined
      reject(new Error(`the app ended with code ${code}:\n${said}`))
    })
  })
  // Whoever asked gets the error; a worker that dies later must not end this process.
  listens.catch(() => {})
  return { process: child, port: listens, restartedAt: restartTime() }
}

function currentWorker() {
  const touched = restartTime()
  const stale = worker && touched !== 0 && touched !== worker.restartedAt
  if (!worker || stale) {
    const before = worker
    worker = start()
    // The old one answers what it has begun; the new one answers everything after.
    if (before) worker.port.finally(() => before.process.kill('SIGTERM')).catch(() => {})
  }
  return worker
}

const server = createServer(async (incoming, outgoing) => {
  const refuse = (error) => {
    if (!outgoing.headersSent) outgoing.writeHead(503, { 'content-type': 'text/plain' })
    outgoing.end(`The app could not be started: ${error.message}\n`)
  }
  try {
    const target = { host: '127.0.0.1', port: await currentWorker().port, path: incoming.url }
    const forwarded = ask({ ...target, method: incoming.method, headers: incoming.headers }, (answer) => {
      outgoing.writeHead(answer.statusCode, answer.headers)
      answer.pipe(outgoing)
    })
    forwarded.on('error', refuse)
    incoming.pipe(forwarded)
  } catch (error) {
    refuse(error)
  }
})

function stop() {
  worker?.process.kill('SIGTERM')
  process.exit(0)
}

process.on('SIGTERM', stop)
process.on('SIGINT', stop)
process.stdin.on('end', stop).on('error', stop).resume()
server.listen(Number(port), '127.0.0.1', () => console.log(server.address().port))
