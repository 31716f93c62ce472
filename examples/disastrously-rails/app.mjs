// Serves what a deploy has to prove: which revision runs, from which release, and what is in its database.
import { execFile } from 'node:child_process'
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'

// The release's own folder, not `current`: a worker keeps serving the release that it was started from until it is restarted.
const here = import.meta.dirname
const read = (name, fallback) => {
  try {
    return readFileSync(join(here, name), 'utf8').trim()
  } catch {
    return fallback
  }
}

const revision = read('REVISION', 'not deployed')
const { version } = JSON.parse(read('package.json'))
const page = read('public/index.html')
const databaseUrl = /^DATABASE_URL=(.+)$/m.exec(read('config/database.env', ''))?.[1]

const COUNTS = `select json_build_object(
  'disasters', (select count(*) from disasters),
  'reports', (select count(*) from reports))`

async function countRows() {
  if (!databaseUrl) return null
  const args = ['--no-psqlrc', '--no-password', '--tuples-only', '--no-align', '--dbname', databaseUrl]
  const { stdout } = await promisify(execFile)('psql', [...args, '--command', COUNTS])
  return JSON.parse(stdout)
}

mkdirSync(join(here, 'log'), { recursive: true })
mkdirSync(join(here, 'tmp/pids'), { recursive: true })

const server = createServer(async (request, response) => {
  const send = (code, type, body) => response.writeHead(code, { 'content-type': type }).end(body)
  appendFileSync(join(here, 'log/app.log'), `${new Date().toISOString()} ${request.method} ${request.url}\n`)
  if (request.url === '/') return send(200, 'text/html; charset=utf-8', page)
  if (request.url !== '/status.json') return send(404, 'text/plain', 'There is no such page.\n')
  try {
    const status = { revision, version, release: basename(here), rows: await countRows() }
    send(200, 'application/json', `${JSON.stringify(status)}\n`)
  } catch (error) {
    send(503, 'text/plain', `The database does not answer: ${error.stderr || error.message}\n`)
  }
})

server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  writeFileSync(join(here, 'tmp/pids/app.pid'), `${process.pid}\n`)
  console.log(`disastrously ${version} listens on http://127.0.0.1:${server.address().port}`)
})

// An app server that restarts the app lets it answer what it has begun.
process.on('SIGTERM', () => server.close())
