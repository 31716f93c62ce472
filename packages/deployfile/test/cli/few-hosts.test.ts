import { describe, it } from 'vitest'
import { cli, type Cli } from '../cli-harness.ts'

/** Restarts a, b and c in turn; one of them may fail. */
const config = (broken: string): Cli =>
  cli().file('a/x', '').file('b/x', '').file('c/x', '').config(`
const build = task('build', { run: () => 1, undo({ log }) { log('built no more') } })
const restart = task('restart', {
  on: 'web', needs: { build }, rolling: { batch: 1, maxFail: 1 }, onError: 'warn',
  async run({ remote, host }) { await remote.sh\`echo \${host.name} is broken >&2; exit \${${broken} ? 7 : 0}\` },
})
const tell = task('tell', { needs: { restart }, run({ log }) { log('told') } })
const host = (root: string) => ({ transport: 'local', root, roles: ['web'] } as const)
export default defineConfig({
  stages: { dev: { hosts: { a: host('a'), b: host('b'), c: host('c') } } },
  defaultStage: 'dev',
  tasks: [tell],
})`)

describe('hosts of a rolling task that may fail', () => {
  it('are told at the end of a run that ended well, and it exits 0', async () => {
    await config(`host.name === 'b'`)
      .args('tell', '-q')
      .ends(
        0,
        '',
        `
! restart warned on b
  $ echo 'b' is broken >&2; exit '7'
  exit 7
  | b is broken
`,
      )
  })

  it('one more of them fails the run: what was undone and which hosts had no turn is said', async () => {
    await config(`host.name !== 'c'`)
      .args('tell', '-q')
      .ends(
        1,
        '',
        `
! restart warned on a
  $ echo 'a' is broken >&2; exit '7'
  exit 7
  | a is broken

✘ restart failed on b
  $ echo 'b' is broken >&2; exit '7'
  exit 7
  | b is broken

Undone: build
  built no more
Not run: restart on c; tell
Log: .deployfile/runs/<run>/events.jsonl
`,
      )
  })
})
