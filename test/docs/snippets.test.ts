import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { expect, test } from 'vitest'

// Whatever the documents show as TypeScript must compile as it stands there, against the packages' sources.

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const PAGES = [
  'README.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]

function snippetsOf(page: string): readonly { readonly name: string; readonly code: string }[] {
  const text = readFileSync(join(ROOT, page), 'utf8')
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => {
    const line = text.slice(0, match.index).split('\n').length + 1
    // Beside the packages, so that imports resolve as in a project that has installed them.
    return {
      name: join(ROOT, 'packages', `${page.replaceAll(/\W/g, '-')}-line-${line}.ts`),
      code: match[1] ?? '',
    }
  })
}

test('every snippet compiles', () => {
  const snippets = new Map(PAGES.flatMap(snippetsOf).map(({ name, code }) => [name, code]))
  expect(snippets.size).toBeGreaterThan(3)
  const file = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (path) => ts.sys.readFile(path))
  const { options } = ts.parseJsonConfigFileContent(file.config, ts.sys, ROOT)
  const host = ts.createCompilerHost(options)
  const disk = ts.createCompilerHost(options)
  host.fileExists = (name) => snippets.has(name) || disk.fileExists(name)
  host.readFile = (name) => snippets.get(name) ?? disk.readFile(name)
  host.getSourceFile = (name, target, ...rest) => {
    const code = snippets.get(name)
    return code === undefined
      ? disk.getSourceFile(name, target, ...rest)
      : ts.createSourceFile(name, code, target)
  }
  const program = ts.createProgram([...snippets.keys()], options, host)
  const wrong = [...snippets.keys()].flatMap((name) => {
    const source = program.getSourceFile(name)
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ messageText }) => `${name.slice(ROOT.length)}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
    )
  })
  expect(wrong).toEqual([])
}, 60_000)
