import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { defineConfig, group, isProblem, namespace, override, recipe, task } from '@deployfile/core'
import type { AnyTask, SourceLocation } from '@deployfile/core'
import { afterAll, describe, expect, test } from 'vitest'

const noop = (): void => undefined

/** The line of this file on which it is called. */
function here(): number {
  const [, line] = /:(\d+):\d+\)?$/.exec(new Error().stack?.split('\n')[2] ?? '') ?? []
  return Number(line)
}

function placed(location: SourceLocation | undefined): {
  file: string | undefined
  line: number | undefined
} {
  return { file: location?.file, line: location?.line }
}

describe('a declaration stands where its author called us', () => {
  const file = import.meta.filename

  test('task, group, preset, override and defineConfig alike', () => {
    const line = here()
    const one = task('one', { run: noop })
    const preset = task.preset({ desc: 'x' })('two', { run: noop })
    const both = group('both', { one })
    const other = override(one, { run: noop })
    const config = defineConfig({ stages: {} })
    expect([one, preset, both, other].map(({ '~task': { location } }) => placed(location))).toEqual(
      [1, 2, 3, 4].map((below) => ({ file, line: line + below })),
    )
    expect(placed(config.location)).toEqual({ file, line: line + 5 })
  })

  test('in a function of the config, the line in that function', () => {
    let line = 0
    const declare = (depth: number): AnyTask => {
      if (depth > 0) return declare(depth - 1)
      line = here() + 1
      return task('deep', { run: noop })
    }
    expect(placed(declare(40)['~task'].location)).toEqual({ file, line })
  })

  test('however few frames stacks have here, and they have as many as before', () => {
    const limit = Error.stackTraceLimit
    try {
      Error.stackTraceLimit = 0
      expect(placed(task('one', { run: noop })['~task'].location).file).toBe(file)
      expect(Error.stackTraceLimit).toBe(0)
    } finally {
      Error.stackTraceLimit = limit
    }
  })

  test('what is wrong with it, too', () => {
    const line = here() + 2
    try {
      task('no name', { run: noop })
    } catch (thrown) {
      expect(isProblem(thrown) && placed(thrown.details.location)).toEqual({ file, line })
      return
    }
    throw new Error('nothing was thrown')
  })

  test('a renamed task stands where it did', () => {
    const line = here() + 1
    const app = recipe({ one: task('one', { run: noop }) })
    expect(placed(namespace('api', app).tasks.one['~task'].location)).toEqual({ file, line })
  })
})

describe('what a recipe of ours declares stands where the recipe is used', () => {
  const root = mkdtempSync(path.join(tmpdir(), 'deployfile-location-'))
  afterAll(() => {
    rmSync(root, { recursive: true, force: true })
  })

  type Use = (declare: typeof task, depth: number) => AnyTask

  /** A module that declares a task from within so many functions. */
  async function moduleAt(...folders: readonly string[]): Promise<{ use: Use; file: string }> {
    const folder = path.join(root, ...folders)
    const file = path.join(folder, 'deploy.mjs')
    mkdirSync(folder, { recursive: true })
    writeFileSync(
      file,
      `export const use = (task, depth) => depth > 0 ? use(task, depth - 1) : task('deploy', { run: () => 1 })\n`,
    )
    const { use } = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as { use: Use }
    return { use, file }
  }

  test.each([
    ['node_modules', '@deployfile', 'recipes', 'dist', 'deploy'],
    ['node_modules', 'deployfile', 'dist'],
    ['node_modules', '.pnpm', '@deployfile+recipes@1.0.0', 'node_modules', '@deployfile', 'recipes', 'dist'],
  ])('%s/%s/%s', async (...folders) => {
    const { use } = await moduleAt(...folders)
    for (const depth of [0, 12]) {
      const line = here() + 1
      const { location } = use(task, depth)['~task']
      expect(placed(location)).toEqual({ file: import.meta.filename, line })
    }
  })

  test.each([
    ['node_modules', 'deployfile-recipe-php', 'dist'],
    ['deployfile', 'dist'],
    ['src', 'recipes'],
  ])('but what others declare, in their own files: %s/%s', async (...folders) => {
    const { use, file } = await moduleAt(...folders)
    expect(placed(use(task, 3)['~task'].location)).toEqual({ file, line: 1 })
  })
})
