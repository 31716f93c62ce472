import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { tempFolder } from '../../../test/servers/temp.ts'
import { until } from '../test/contract.ts'

const temp = tempFolder('prompt')
afterAll(() => temp.remove())

const CHILD = `
import { writeFileSync } from 'node:fs'
import { reveal, secret } from '@deployfile/core'
import { createShells } from '@deployfile/shell'
process.on('SIGINT', () => undefined)
createShells({ root: '.' })
let told
try {
  told = { value: reveal(secret.prompt('sudo password')), again: reveal(secret.prompt('sudo password')) }
} catch (error) {
  told = { code: error.code, message: error.message, hint: error.details.hint }
}
writeFileSync(process.argv[1], JSON.stringify(told))
`

/** Runs the program above with a terminal of its own, or in a session without one; gives what the terminal showed. */
async function asked(name: string, type: string | undefined): Promise<{ told: unknown; screen: string }> {
  const result = join(temp.path, name)
  const node = [process.execPath, '--input-type=module', '--eval', CHILD, result]
  writeFileSync(
    join(temp.path, `${name}.sh`),
    `exec ${node.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')}\n`,
  )
  const words =
    type === undefined
      ? ['setsid', '-w', 'sh', `${name}.sh`]
      : ['script', '-qfec', `sh ${name}.sh`, '/dev/null']
  const [file = '', ...args] = words.map((word) =>
    word.endsWith('.sh') ? word.replace(name, join(temp.path, name)) : word,
  )
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'], cwd: import.meta.dirname })
  let screen = ''
  child.stdout.on('data', (chunk: Buffer) => (screen += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (screen += chunk.toString()))
  if (type !== undefined) {
    await until(() => screen.includes('sudo password: '))
    child.stdin.write(type)
  }
  await once(child, 'close')
  expect(existsSync(result), screen).toBe(true)
  return { told: JSON.parse(readFileSync(result, 'utf8')), screen }
}

test('a prompt takes what is typed, once, and shows nothing of it', async () => {
  const { told, screen } = await asked('typed', "it's hunter2\n")
  expect(told).toEqual({ value: "it's hunter2", again: "it's hunter2" })
  expect(screen.split('sudo password: ')).toHaveLength(2)
  expect(screen).not.toContain('hunter2')
})

test('Ctrl-C at a prompt is no answer', async () => {
  const { told } = await asked('interrupted', '\x03')
  expect(told).toMatchObject({ code: 'SECRET_MISSING', message: 'nobody gave the sudo password' })
})

test('without a terminal it says what to set', async () => {
  const { told } = await asked('nobody', undefined)
  expect(told).toEqual({
    code: 'SECRET_MISSING',
    message: 'there is no terminal to ask for the sudo password on',
    hint: 'Set it for this command: SECRET_SUDO_PASSWORD=… npx deployfile …',
  })
})
