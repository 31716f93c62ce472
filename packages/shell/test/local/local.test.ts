import { mkdirSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { type CommandEvent, type Host, secret } from '@deployfile/core'
import { createShells } from '@deployfile/shell'
import { afterAll, describe, expect, test } from 'vitest'
import { tempFolder } from '../../../../test/servers/temp.ts'
import { problemOf, shellContract } from '../contract.ts'

const temp = tempFolder('shell')
const root = realpathSync(temp.path)
const there = join(root, 'there')
mkdirSync(there)
const shells = createShells({ root })
afterAll(() => temp.remove())

const host = (folder?: string): Host => ({
  name: 'local1',
  stage: 'dev',
  roles: ['web'],
  transport: 'local',
  address: 'local1',
  primary: true,
  props: {},
  ...(folder !== undefined && { root: folder }),
})

describe('this machine', () => {
  shellContract(({ signal = new AbortController().signal, emit } = {}) => {
    const events: CommandEvent[] = []
    return {
      // Another folder than the one that local paths start in, so that what came from where can be told apart.
      shell: shells.remote(host('there'), { signal, emit: emit ?? ((event) => events.push(event)) }),
      folder: there,
      root,
      events,
    }
  })
})

test('a cancel is heard while a person is being asked for a secret; the command does not start', async () => {
  let asked = (): void => undefined
  const question = new Promise<void>((resolve) => (asked = resolve))
  const asking = createShells({
    root,
    askHidden: () => {
      asked()
      return new Promise(() => undefined)
    },
  })
  const stop = new AbortController()
  const shell = asking.local({ signal: stop.signal, emit: () => undefined })
  const running = problemOf(
    shell.with({ secrets: { TOKEN: secret.prompt('a token that nobody types') } }).sh`touch ran-untold`,
  )
  await question
  stop.abort()
  expect(await running).toMatchObject({
    code: 'COMMAND_CANCELLED',
    details: { command: { mayHaveRun: false } },
  })
  expect(
    await shells.local({ signal: new AbortController().signal, emit: () => undefined }).exists('ran-untold'),
  ).toBe(false)
})

describe('a host that is a folder here', () => {
  const scope = { signal: new AbortController().signal, emit: () => undefined }

  test('starts in its root, or in the folder of the config; HOME stays the own one', async () => {
    await shells.local(scope).mkdir('hosts/one')
    const one = shells.remote(host('hosts/one'), scope)
    expect(await one.capture`pwd`).toBe(join(root, 'hosts/one'))
    expect(await shells.remote(host(), scope).capture`pwd`).toBe(root)
    expect(await shells.local(scope).capture`pwd`).toBe(root)
    expect(await one.capture`echo "$HOME"`).toBe(homedir())
  })

  test('says which folder is missing and how to make it', async () => {
    const problem = await problemOf(shells.remote(host('hosts/none'), scope).sh`true`)
    expect(problem).toMatchObject({ code: 'FOLDER_MISSING', kind: 'check' })
    expect(problem.details.hint).toBe(`Make it: mkdir -p ${join(root, 'hosts/none')}`)
  })
})
