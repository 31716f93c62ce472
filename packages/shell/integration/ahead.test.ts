import type { Host } from '@deployfile/core'
import { createShells } from '@deployfile/shell'
import { expect, test } from 'vitest'
import { servicesFound } from '../../../test/servers/service.ts'
import { problemOf } from '../test/contract.ts'
import { hostNamed, shellOf, startSite } from './host.ts'

test.runIf(servicesFound('sshd'))(
  'hosts that are expected are connected with the first that is used, and none before',
  async () => {
    await using site = await startSite()
    const { user } = site.sshd
    const logins = (): number => site.sshd.log().match(/Accepted publickey/g)?.length ?? 0
    const shells = createShells({ root: site.here, sshConfig: site.config })
    try {
      // The same machine by three ways, and one that nobody is behind.
      const [first, second, third] = [{}, { user }, { user, port: site.sshd.port }].map((more, at) =>
        hostNamed(`web${String(at + 1)}`, { address: 'web1', ...more }),
      ) as [Host, Host, Host]
      const gone = hostNamed('gone', { address: '127.0.0.1', port: 1 })
      shells.expect([gone, third, second, first])
      await shells.local({ signal: new AbortController().signal, emit: () => undefined }).sh`true`
      expect(logins()).toBe(0)

      await shellOf(shells, first).sh`true`
      await expect.poll(logins).toBe(3)
      // They are there: no further login.
      await shellOf(shells, second).sh`true`
      await shellOf(shells, third).sh`true`
      expect(logins()).toBe(3)
      // Only who uses it is told.
      const problem = await problemOf(shellOf(shells, gone).sh`true`)
      expect(problem).toMatchObject({ code: 'HOST_UNREACHABLE' })
    } finally {
      await shells.close()
    }
  },
)
