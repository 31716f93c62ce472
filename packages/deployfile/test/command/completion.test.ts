import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { completionScript } from '../../src/command/completion-script.ts'
import { cli, type Cli } from '../cli-harness.ts'

const config = (): Cli =>
  cli().config(`
export default defineConfig({
  stages: { dev: { hosts: { web1: { roles: ['web'] } } }, production: { hosts: { web1: { roles: ['web'] }, db1: { roles: ['db'] } } } },
  defaultStage: 'dev',
  tasks: [task('assets:build', { desc: 'Build', input: z.object({ mode: z.enum(['dev', 'prod']).default('dev') }), run: () => 1 }), task('hidden', { run: () => 1 })],
})`)

const words = async (...typed: readonly string[]): Promise<readonly string[]> => {
  const { stdout, code, stderr } = await config()
    .args('completion', 'words', '--', ...typed)
    .run()
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout.split('\n').flatMap((line) => line.split('\t')[0] || [])
}

describe('completion of words', () => {
  it.each([
    [['prod'], ['production']],
    [['production', 'as'], ['assets:build']],
    [['production', 'assets:build', 'm'], ['mode=']],
    [
      ['assets:build', 'mode='],
      ['mode=dev', 'mode=prod'],
    ],
    [['assets:build', 'stage=p'], ['stage=production']],
    [['-z', 'd'], ['db1']],
    [['--hosts', 'web1,d'], ['web1,db1']],
    [
      ['-r', ''],
      ['web', 'db'],
    ],
    [['--renderer', 'p'], ['plain']],
    [['ssh', 'w'], ['web1']],
    [['assets:build', '--mo'], ['--mode']],
    [['ex'], ['exec']],
    [['--re'], ['--resume', '--renderer']],
  ])('%j', async (typed, found) => {
    expect(await words(...typed)).toEqual(found)
  })

  it('says what each is', async () => {
    const { stdout } = await config().args('completion', 'words', '--', 'a').run()
    expect(stdout).toBe('assets:build\tBuild\n')
  })

  it('completes options and commands where the config cannot be read', async () => {
    const { stdout, stderr, code } = await cli()
      .file('deploy.config.ts', 'export default {')
      .args('completion', 'words', '--', 'do')
      .run()
    expect({ stdout, stderr, code }).toEqual({ stdout: 'doctor\ta command\n', stderr: '', code: 0 })
  })
})

describe('completion scripts', () => {
  it.each(['bash', 'zsh', 'fish'] as const)('of %s are printed', async (shell) => {
    await cli().args('completion', shell).ends(0, completionScript(shell))
  })

  // The word after a colon is a word of its own to bash: what it puts in place must begin there.
  it('of bash completes names with colons', () => {
    const script = `
deployfile() { printf 'assets:build\\tBuild\\n'; }
${completionScript('bash')}
compopt() { :; }
COMP_LINE='deployfile production assets:b'; COMP_POINT=\${#COMP_LINE}
_deployfile; printf '%s\\n' "\${COMPREPLY[@]}"`
    const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script], { encoding: 'utf8' })
    expect({ stdout, stderr }).toEqual({ stdout: 'build\n', stderr: '' })
  })

  it('of another shell is refused', async () => {
    await cli()
      .args('completion', 'tcsh')
      .ends(
        2,
        '',
        "deployfile: there is no completion for 'tcsh'\n  Write deployfile completion bash, zsh or fish.\n",
      )
  })
})
