import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { bodies } from './bodies.ts'
import { configs } from './configs.ts'
import { exceptions } from './exceptions.ts'
import type { Mistake } from './mistake.ts'
import { needs } from './needs.ts'

// One mistake is one error, and the error says what is wrong: a second one that only follows from it sends people astray.

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url))

// What all of them stand on.
const WORLD = `import { all, defineConfig, group, namespace, optional, override, perStage, recipe, task, type Host, type Option, type Recipe, type Task } from '@deployfile/core'
import * as z from 'zod'
const once = task('once', { run: async () => ({ dir: 'dist' }) })
const web = task('web', { on: 'web', run: async ({ remote }) => ({ path: remote.host.name }) })
const tagged = task('tagged', { input: z.object({ tag: z.string() }), run: ({ input }) => input.tag })
const maybe = task('maybe', { when: ({ stage }) => stage.protected || 'only there', run: () => ({ n: 1 }) })
const warned = task('warned', { onError: 'warn', run: () => 'x' })
interface AppTasks { readonly publish: Task<'app:publish', {}, void, 'each'> }
declare function makeApp<S extends string = string>(options: { branch: Option<string, S> }): Recipe<AppTasks, S>
const app = makeApp({ branch: perStage({ staging: 'staging', production: 'master' }) })
const stages = { staging: { hosts: {} } }
export { all, defineConfig, group, namespace, optional, override, recipe, z, once, web, tagged, maybe, warned, app, stages, type Host }
`

const fileOf = ({ title }: Mistake): string =>
  join(ROOT, 'packages/core/test', `mistake ${title.replaceAll(/\W+/g, ' ')}.ts`)

function compile(mistakes: readonly Mistake[]): ReadonlyMap<Mistake, readonly string[]> {
  const sources = new Map(mistakes.map((mistake) => [fileOf(mistake), `${WORLD}${mistake.code}\n`]))
  const config = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (path) => ts.sys.readFile(path))
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, ROOT)
  const host = ts.createCompilerHost(options)
  const disk = ts.createCompilerHost(options)
  host.fileExists = (name) => sources.has(name) || disk.fileExists(name)
  host.readFile = (name) => sources.get(name) ?? disk.readFile(name)
  host.getSourceFile = (name, target, ...rest) => {
    const code = sources.get(name)
    return code === undefined
      ? disk.getSourceFile(name, target, ...rest)
      : ts.createSourceFile(name, code, target)
  }
  const program = ts.createProgram([...sources.keys()], options, host)
  const above = WORLD.split('\n').length - 1
  return new Map(mistakes.map((mistake) => [mistake, errorsIn(program, fileOf(mistake), above)]))
}

function errorsIn(program: ts.Program, file: string, above: number): readonly string[] {
  const source = program.getSourceFile(file)
  return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
    ({ messageText, start = 0 }) => {
      const line = (source?.getLineAndCharacterOfPosition(start).line ?? 0) + 1 - above
      return `${String(line)}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
    },
  )
}

const groups = { needs, bodies, configs }
const found = compile([...Object.values(groups).flat(), ...exceptions])

describe.each(Object.entries(groups))('%s', (_name, mistakes) => {
  test.each(mistakes.map((mistake) => [mistake.title, mistake] as const))('%s', (_title, mistake) => {
    expect(found.get(mistake)).toEqual(mistake.errors)
    expect(mistake.errors).toHaveLength(1)
  })
})

describe('exceptions', () => {
  test.each(exceptions.map((mistake) => [mistake.title, mistake] as const))('%s', (_title, mistake) => {
    expect(found.get(mistake)).toEqual(mistake.errors)
  })
})
