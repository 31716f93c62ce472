import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { tempFolder } from '../servers/temp.ts'
import { until } from './command.ts'

const PROGRAM = fileURLToPath(new URL('../../packages/deployfile/bin/deployfile.js', import.meta.url))

const hasTerminal = ((): boolean => {
  try {
    execFileSync('script', ['-qec', 'true', '/dev/null'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

test.runIf(hasTerminal)(
  'init asks on a terminal of 80 columns, and again where an answer does not fit',
  async () => {
    await using folder = tempFolder('init')
    writeFileSync(join(folder.path, 'package.json'), '{ "name": "shop" }\n')
    const command = `stty cols 80 rows 24; exec '${process.execPath}' '${PROGRAM}' init`
    const child = spawn('script', ['-qefc', command, '/dev/null'], {
      cwd: folder.path,
      env: { ...process.env, CI: '', TERM: 'xterm', NO_COLOR: '1' },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    let screen = ''
    child.stdout.on('data', (chunk: Buffer) => (screen += chunk.toString()))
    const answer = async (question: string, typed: string): Promise<void> => {
      await until(`it asks: ${question}`, () => screen.includes(question))
      child.stdin.write(`${typed}\r`)
    }
    await answer('What is the application called?', '')
    await answer('Which git repository is deployed? (empty: later)', '')
    await answer('Which branch goes to production?', '')
    await answer('On which host does production run?', 'web 1')
    await answer('cannot be the name of a host', '\u007f\u007fs')
    await answer('In which folder on the host?', '')
    await answer('Which PostgreSQL database does production have', '')
    const [code] = (await once(child, 'close')) as [number]
    expect(code, screen).toBe(0)
    const text = readFileSync(join(folder.path, 'deploy.config.ts'), 'utf8')
    expect(text).toContain("        'webs': { roles: ['app', 'web', 'db'] },\n")
    expect(text).toContain("  branch: 'main',\n  deployTo: '/var/www/shop',\n")
    // NO_COLOR: what moves the cursor is left, and nothing that colours.
    expect(screen).not.toMatch(/\u001b\[(?:3[0-8]|9[0-7])[;\dm]/)
    // A line is drawn again with every letter.
    const seen = screen.split(/\r?\n|\u001b\[[?\d;]*[a-zA-Z]/)
    expect(seen.filter((line) => line.length > 80)).toEqual([])
  },
)
