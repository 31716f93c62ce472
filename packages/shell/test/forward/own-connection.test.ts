import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { isOwnConnection, userOfConnection } from '../../src/forward/own-connection.ts'

const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 8251018 1 0000000013bc1fd0 100 0 0 10 0
   1: 0100007F:1F90 0100007F:B3C2 01 00000000:00000000 00:00000000 00000000  1000        0 8251019 1 0000000013bc1fd0 20 4 30 10 -1
  12: 0100007F:B3C2 0100007F:1F90 01 00000000:00000000 00:00000000 00000000 65534        0 8251020 1 0000000013bc1fd0 20 4 30 10 -1
`

describe('whose a connection is', () => {
  it('is told by the end that came', () => {
    expect(userOfConnection(TABLE, 0xb3c2, 0x1f90)).toBe(65534)
    expect(userOfConnection(TABLE, 0x1f90, 0xb3c2)).toBe(1000)
    expect(userOfConnection(TABLE, 0xb3c2, 0x1f91)).toBeUndefined()
  })

  it.runIf(process.platform === 'linux')(
    'is true of our own, and false of another user of this machine',
    async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      const { port } = server.address() as AddressInfo
      const knock = `require('net').connect(${port}, '127.0.0.1').on('close', () => 0)`
      // Only root may become somebody else.
      const users = process.getuid?.() === 0 ? [undefined, 65534] : [undefined]
      for (const uid of users) {
        const child = execFile(
          process.execPath,
          ['-e', knock],
          uid === undefined ? { cwd: '/' } : { cwd: '/', uid },
        )
        const [socket] = (await once(server, 'connection')) as [Socket]
        expect(await isOwnConnection(socket)).toBe(uid === undefined)
        socket.destroy()
        await once(child, 'close')
      }
      server.close()
    },
  )
})
