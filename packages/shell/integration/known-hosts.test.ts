import { execFileSync } from 'node:child_process'
import { createHmac, randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { tempFolder } from '../../../test/servers/temp.ts'
import { entriesOf, parseKnownHosts } from '../src/ssh/known-hosts.ts'
import { newKeyPair } from './key-pair.ts'

const FILES = 2_000

/** Numbers that are the same in every run. */
function sequence(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state >>> 8
  }
}

test(`the same lines as ssh-keygen -F, in ${String(FILES)} random files`, async () => {
  await using temp = tempFolder('known-hosts')
  const random = sequence(20261123)
  const pick = <T>(items: readonly T[]): T => items[random() % items.length]!
  const hosts = ['web1', 'web2', 'db.example.com', '[web1]:2222', '10.0.0.7', '[::1]:22', '::1', 'a-b_c']
  const patterns = [
    ...hosts,
    'WEB1',
    '*',
    'web?',
    '*.example.com',
    '!web1',
    '!*',
    '10.0.0.*',
    '[web?]:*',
    '??',
  ]
  const keys = Array.from({ length: 4 }, () => newKeyPair().public.split(' ').slice(0, 2).join(' '))
  const hashed = (name: string): string => {
    const salt = randomBytes(20)
    const hash = createHmac('sha1', salt).update(name).digest('base64')
    return `|1|${salt.toString('base64')}|${hash}`
  }
  const names = (): string =>
    random() % 3 === 0
      ? hashed(pick(hosts))
      : Array.from({ length: 1 + (random() % 3) }, () => pick(patterns)).join(',')
  const line = (): string => {
    const marker = pick(['', '', '', '@revoked ', '@cert-authority ', '@other '])
    const noise = pick(['', '', '# a comment\n', '\n', 'nonsense\n', '   \t\n'])
    return `${noise}${pick(['', ' ', '\t'])}${marker}${names()} ${pick(keys)}${pick(['', ' me@here'])}`
  }
  const cases = Array.from({ length: FILES }, (_, at) => {
    const lines = Array.from({ length: 1 + (random() % 6) }, line)
    const file = join(temp.path, String(at))
    // Editors leave files without a last line end, and of Windows.
    writeFileSync(file, lines.join(pick(['\n', '\n', '\r\n'])) + pick(['\n', '']))
    return { file, host: pick(hosts) }
  })
  // Some are hashed by ssh-keygen itself; it leaves patterns, marked lines and files that it finds faulty as they are.
  const each = (list: readonly string[], script: string): string =>
    execFileSync('sh', ['-c', `while read -r host file; do ${script} || :; done`], {
      input: list.map((item) => `${item}\n`).join(''),
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'ignore'],
      maxBuffer: 1e8,
    })
  const items = cases.map(({ host, file }) => `${host} ${file}`)
  each(
    items.filter((_, at) => at % 10 === 0),
    'ssh-keygen -H -f "$file" </dev/null >&2',
  )

  const said = each(items, 'echo "file $file"; ssh-keygen -F "$host" -f "$file" </dev/null')
  const theirs = new Map<string, number[]>()
  for (const block of said.split(/^file /m).slice(1)) {
    const found = [...block.matchAll(/^# Host .* found: line (\d+)/gm)].map((match) => Number(match[1]))
    theirs.set(block.slice(0, block.indexOf('\n')), found)
  }
  let compared = 0
  for (const { file, host } of cases) {
    const text = readFileSync(file, 'latin1')
    const ours = entriesOf(parseKnownHosts(text, file), host).map((entry) => entry.line)
    expect({ host, lines: ours, text }).toEqual({ host, lines: theirs.get(file), text })
    compared += ours.length
  }
  expect(compared).toBeGreaterThan(FILES / 2)
}, 180_000)
