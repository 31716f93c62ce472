import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { servicesFound } from '../servers/service.ts'
import { tempFolder } from '../servers/temp.ts'

// What is typed in the real shells, and what stands there after the key for completion.

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const CONFIG = `import { defineConfig, task } from 'deployfile'
import * as z from 'zod'
const input = z.object({ mode: z.enum(['dev', 'prod']).default('dev') })
export default defineConfig({
  stages: { dev: { hosts: { web1: { roles: ['web'] } } }, production: { hosts: { db1: { roles: ['db'] } } } },
  defaultStage: 'dev',
  tasks: [task('assets:build', { desc: 'Build: all of it', input, run: () => 1 })],
})
`
const LINES = [
  ['deployfile prod', 'deployfile production '],
  ['deployfile production assets:b', 'deployfile production assets:build '],
  ['deployfile assets:build mo', 'deployfile assets:build mode='],
  ['deployfile assets:build mode=p', 'deployfile assets:build mode=prod '],
  ['deployfile ssh w', 'deployfile ssh web1 '],
] as const

const folder = tempFolder('completion')
const bin = join(folder.path, 'node_modules/.bin')
const env = { ...process.env, PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}`, HOME: folder.path }

beforeAll(() => {
  mkdirSync(bin, { recursive: true })
  writeFileSync(join(folder.path, 'deploy.config.ts'), CONFIG)
  writeFileSync(join(folder.path, 'package.json'), '{ "type": "module" }')
  symlinkSync(join(ROOT, 'packages/deployfile'), join(folder.path, 'node_modules/deployfile'))
  symlinkSync(join(ROOT, 'node_modules/zod'), join(folder.path, 'node_modules/zod'))
  symlinkSync('../deployfile/bin/deployfile.js', join(bin, 'deployfile'))
})
afterAll(() => folder.remove())

const ran = (shell: string, ...args: readonly string[]): string =>
  execFileSync(shell, args, { cwd: folder.path, env, encoding: 'utf8', timeout: 60_000 })

test.runIf(servicesFound('zsh'))('zsh completes a stage, a task, a key, its value and a host', () => {
  writeFileSync(join(folder.path, 'words.zsh'), ran('deployfile', 'completion', 'zsh'))
  writeFileSync(
    join(folder.path, '.zshrc'),
    `PS1=; autoload -Uz compinit; compinit -u -D; source words.zsh
tell() { print -r -- "[$BUFFER]" > told; exit }
zle -N tell; bindkey '^I' complete-word; bindkey '^X' tell; print ready\n`,
  )
  // zsh's own pseudo terminal, with a shell in it that takes keys as a person's does.
  const typed = (line: string): string =>
    ran(
      'zsh',
      '-fc',
      `zmodload zsh/zpty; zpty inner ZDOTDIR=$PWD zsh -i; zpty -r inner out '*ready*'
zpty -wn inner $1$'\\t\\x18'; while zpty -r inner out; do :; done; print -r -- "$(<told)"`,
      'zsh',
      line,
    )
  for (const [line, completed] of LINES) expect(typed(line).trimEnd(), line).toBe(`[${completed}]`)
})

test.runIf(servicesFound('fish'))('fish completes a stage, a task, a key, its value and a host', () => {
  writeFileSync(join(folder.path, 'words.fish'), ran('deployfile', 'completion', 'fish'))
  for (const [line, completed] of LINES) {
    const words = ran('fish', '-N', '-c', 'source words.fish; complete -C $argv[1]', line)
    expect(words.split(/[\t\n]/)[0], line).toBe(completed.trimEnd().split(' ').at(-1))
  }
})
