import { expect, it } from 'vitest'
import { COMMAND_NAMES } from '../../src/cli/command-names.ts'
import { cli } from '../cli-harness.ts'

// docs/cli-reference.md is what the program says. To write it anew: delete it and run this test.
it('the reference in docs is what the program prints', async () => {
  const fence = '```'
  const parts = [
    '# The command line: reference',
    'What `--help` prints, for the program and for each of its commands. [The command line](command-line.md) explains it.',
  ]
  for (const words of [[], ...COMMAND_NAMES.map((name) => [name])]) {
    const { code, stdout } = await cli()
      .args(...words, '--help')
      .run()
    expect(code).toBe(0)
    parts.push(`## ${['deployfile', ...words].join(' ')}`, `${fence}text\n${stdout.trimEnd()}\n${fence}`)
  }
  await expect(`${parts.join('\n\n')}\n`).toMatchFileSnapshot('../../../../docs/cli-reference.md')
})
