import { spawnSync } from 'node:child_process'
import { expect, describe, test } from 'vitest'
import { startPlainSshd } from '../../servers/plain-sshd.ts'
import { servicesFound } from '../../servers/service.ts'

describe.runIf(servicesFound('sshd'))('an sshd as it is delivered', () => {
  test('lets in somebody who is not root, with a home and a shell of their own', async () => {
    await using sshd = await startPlainSshd({ shell: '/bin/sh' })
    const options = [
      'UserKnownHostsFile=/dev/null',
      'StrictHostKeyChecking=no',
      'BatchMode=yes',
      'LogLevel=ERROR',
    ]
    const { stdout } = spawnSync(
      'ssh',
      [
        ...['-F', '/dev/null', '-i', sshd.privateKeyPath, '-p', String(sshd.port)],
        ...options.flatMap((option) => ['-o', option]),
        `${sshd.user}@127.0.0.1`,
        'id -u; id -un; pwd; echo "$SHELL"',
      ],
      { encoding: 'utf8' },
    )
    const [uid, name, folder, shell] = stdout.trim().split('\n')
    expect(Number(uid)).toBeGreaterThan(0)
    expect(name).toBe(sshd.user)
    if (sshd.home !== undefined) expect([folder, shell]).toEqual([sshd.home, '/bin/sh'])
  })
})
