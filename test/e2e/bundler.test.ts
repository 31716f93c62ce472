import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { makeGitServer } from '../servers/git.ts'
import { tempFolder } from '../servers/temp.ts'
import { start } from './command.ts'
import { deployment } from './deployment.ts'

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url))

// Gems come from the network, so the program is a stand-in that fetches what its folder lacks. What is tried is the task around it.
const BUNDLE = `#!/bin/sh
printf '%s|' "$PWD" "$*" "$BUNDLE_PATH" "$BUNDLE_DEPLOYMENT" "$BUNDLE_WITHOUT" >> "$ASKED"
readlink ../../current >> "$ASKED" || echo >> "$ASKED"
while read -r gem; do
  if [ "$gem" = broken ]; then echo 'Could not find gem broken' >&2; exit 7; fi
  [ -e "$BUNDLE_PATH/$gem" ] || echo "$gem of $(basename "$PWD")" > "$BUNDLE_PATH/$gem"
done < Gemfile.lock
`

test('docs/deploying.md: gems are installed by an ordinary task, into a folder that releases share', async () => {
  await using folder = tempFolder('bundler')
  await using origin = makeGitServer({ branches: ['main'] })
  const [project, bin, asked] = ['project', 'bin', 'asked'].map((name) => join(folder.path, name)) as [
    string,
    string,
    string,
  ]
  mkdirSync(join(project, 'node_modules'), { recursive: true })
  mkdirSync(bin)
  writeFileSync(join(bin, 'bundle'), BUNDLE, { mode: 0o755 })
  symlinkSync(at('packages/deployfile'), join(project, 'node_modules/deployfile'))
  const snippets = readFileSync(at('docs/deploying.md'), 'utf8').matchAll(/^```ts\n(.*?)^```$/gms)
  const [snippet = ''] = [...snippets].flatMap(([, code = '']) =>
    code.includes('bundle:install') ? [code] : [],
  )
  const config = snippet
    .replace('git@git.example.com:shop.git', origin.repository)
    .replace("'/srv/shop'", `'${folder.path}/shop'`)
    .replace("user: 'deploy'", "transport: 'local'")
  expect(config).toContain("transport: 'local'")
  writeFileSync(join(project, 'deploy.config.ts'), config)
  const env = { ...process.env, NO_COLOR: '1', PATH: `${bin}:${process.env['PATH'] ?? ''}`, ASKED: asked }
  const deploy = (): ReturnType<typeof start>['ended'] =>
    start(process.execPath, [at('packages/deployfile/bin/deployfile.js'), 'production', 'deploy'], {
      ...{ cwd: project, env },
    }).ended
  const shop = deployment(join(folder.path, 'shop'))
  const calls = (): readonly (readonly string[])[] =>
    readFileSync(asked, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => line.split('|'))

  origin.commit({ 'Gemfile.lock': 'rake\n' })
  const first = await deploy()
  expect(first, first.output).toMatchObject({ code: 0 })
  const one = shop.current() ?? ''
  origin.commit({ 'Gemfile.lock': 'rake\nrails\n' })
  const second = await deploy()
  expect(second, second.output).toMatchObject({ code: 0 })
  const two = shop.current() ?? ''
  const options = ['install --quiet', 'vendor/bundle', 'true', 'development:test']
  // In the release's final folder, while what was live still is.
  expect(calls()).toEqual([
    [one, ...options, ''],
    [two, ...options, one],
  ])
  expect(shop.names('shared/vendor/bundle')).toEqual(['rails', 'rake'])
  expect(shop.read('current/vendor/bundle/rake')).toBe(`rake of ${one.split('/').at(-1) ?? ''}\n`)

  origin.commit({ 'Gemfile.lock': 'rake\nbroken\n' })
  const third = await deploy()
  expect(third.code).toBe(1)
  expect(third.output).toContain('Could not find gem broken')
  expect(shop.current()).toBe(two)
  expect(shop.releases()).toHaveLength(2)
  expect(existsSync(join(shop.path, 'shared/vendor/bundle/rake'))).toBe(true)
})
