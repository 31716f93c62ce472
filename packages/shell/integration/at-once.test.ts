import { afterAll, expect, test } from 'vitest'
import { createShells } from '@deployfile/shell'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tempFolder } from '../../../test/servers/temp.ts'
import { hostNamed, shellOf } from './host.ts'
import { answering, fingerprintOf, makeDesk, runCommands, shellTo, startServer } from './ssh-server.ts'

const temp = tempFolder('handshakes')
afterAll(() => temp.remove())

test('of thirty hosts eight are in their handshakes at once, and never nine', async () => {
  let inside = 0
  let most = 0
  const server = await startServer(['ed25519'], {
    onConnection: () => (most = Math.max(most, ++inside)),
    onSession: (client) => {
      inside--
      runCommands(client)
    },
  })
  const desk = makeDesk(temp.path, 'desk')
  const config = join(desk.folder, 'ssh_config')
  writeFileSync(config, `IdentityFile ${desk.folder}/id\nIdentitiesOnly yes\nIdentityAgent none\n`)
  const shells = createShells({ root: desk.folder, sshConfig: config })
  const hostKey = [fingerprintOf(server.publicKeys[0]!)]
  // Each a login of its own, so that none of them shares a connection.
  const all = Array.from({ length: 30 }, (_, at) =>
    hostNamed(`web${String(at)}`, { address: `user${String(at)}@127.0.0.1:${String(server.port)}`, hostKey }),
  )
  expect(await Promise.all(all.map((host) => shellOf(shells, host).capture`echo in`))).toEqual(
    all.map(() => 'in'),
  )
  expect(most).toBe(8)
  await shells.close()
  await server.close()
})

test('of forty commands on one host eight have a channel at once, and never nine', async () => {
  let open = 0
  let most = 0
  const waiting: (() => void)[] = []
  const server = await startServer(['ed25519'], {
    onSession: answering((channel) => {
      most = Math.max(most, ++open)
      channel.on('close', () => open--).resume()
      waiting.push(() => {
        channel.exit(0)
        channel.end()
      })
      // All that may come at once are there: now they may end.
      if (open === 8) for (const end of waiting.splice(0)) end()
    }),
  })
  const desk = makeDesk(temp.path, 'channels')
  const hostKey = [fingerprintOf(server.publicKeys[0]!)]
  const { shell, close } = shellTo(server, desk, { host: { hostKey } })
  await Promise.all(Array.from({ length: 40 }, (_, at) => shell.sh`: ${at}`))
  expect(most).toBe(8)
  await close()
  await server.close()
})
