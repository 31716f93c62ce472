import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createShells } from '@deployfile/shell'
import { describe, expect, test } from 'vitest'
import { type PlainSshd, startPlainSshd } from '../../../test/servers/plain-sshd.ts'
import { servicesFound } from '../../../test/servers/service.ts'
import { hostNamed, shellOf } from './host.ts'

/** A config by which every `web*` is this sshd. */
function configFor(sshd: PlainSshd): string {
  const config = join(sshd.root, 'ssh_config')
  const knownHosts = join(sshd.root, 'known_hosts')
  writeFileSync(knownHosts, `[127.0.0.1]:${String(sshd.port)} ${sshd.hostKey}\n`)
  writeFileSync(
    config,
    `Host web*
  HostName 127.0.0.1
  Port ${String(sshd.port)}
  User ${sshd.user}
  IdentityFile ${sshd.privateKeyPath}
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile ${knownHosts}
  GlobalKnownHostsFile /dev/null
`,
  )
  return config
}

// Its own limits: MaxStartups 10:30:100, MaxSessions 10.
describe.runIf(servicesFound('sshd'))('an sshd as it is delivered, and an ordinary user', () => {
  test('200 hosts connect at once; not one of their connections is refused or tried twice', async () => {
    await using sshd = await startPlainSshd()
    const shells = createShells({ root: sshd.root, sshConfig: configFor(sshd) })
    const names = Array.from({ length: 200 }, (_, at) => `web${String(at)}`)
    const said = await Promise.all(names.map((name) => shellOf(shells, hostNamed(name)).capture`id -un`))
    expect(said).toEqual(names.map(() => sshd.user))
    await shells.close()
    const count = (words: RegExp): number => sshd.log().match(words)?.length ?? 0
    expect({
      connections: count(/^Connection from /gm),
      logins: count(/Accepted publickey/g),
      refused: count(/drop connection|throttling|MaxStartups/g),
    }).toEqual({ connections: 200, logins: 200, refused: 0 })
  }, 180_000)

  test.each(['/bin/bash', '/bin/dash'])('60 commands at once share one connection, by %s', async (shell) => {
    await using sshd = await startPlainSshd({ shell })
    const shells = createShells({ root: sshd.root, sshConfig: configFor(sshd) })
    const remote = shellOf(shells, hostNamed('web1'))
    const said = await Promise.all(Array.from({ length: 60 }, (_, at) => remote.capture`echo ${at}`))
    expect(said).toEqual(Array.from({ length: 60 }, (_, at) => String(at)))
    await shells.close()
    expect(sshd.log().match(/Accepted publickey/g)).toHaveLength(1)
  })
})
