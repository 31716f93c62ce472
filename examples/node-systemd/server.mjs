import { createServer } from 'node:http'
import { readFileSync } from 'node:fs'

// deployfile writes REVISION into each release: what serves can say what it is.
const revision = readFileSync(new URL('REVISION', import.meta.url), 'utf8').trim()
createServer((_, response) => response.end(`${revision}\n`)).listen(Number(process.env.PORT ?? 3000))
