import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { rolldown } from 'rolldown'
import { repositoryField } from './repository.mjs'

/** What `deployfile` is imported or started by. */
const ENTRIES = ['bin', 'index', 'recipes', 'testing']
/** Packages of the house: their code goes into the bundle, and is loaded as few files instead of two hundred. */
const ROOMS = ['core', 'shell', 'postgres', 'recipes']
/** Small ones that every command loads. All other packages are loaded where they are used, and stay what npm installs. */
const INSIDE = ['zod', 'commander']

/**
 * Makes the folder of `deployfile` as it is published: the same files, with its JavaScript bundled. Needs the build.
 * The packages of the house stay among its dependencies, for their types.
 */
export async function stageDeployfile(root, folder) {
  const source = join(root, 'packages/deployfile')
  const manifest = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'))
  for (const name of ['bin', 'dist', 'src', 'README.md', 'LICENSE'])
    cpSync(join(source, name), join(folder, name), { recursive: true })
  for (const file of filesOf(join(folder, 'dist')))
    if (/\.js(\.map)?$|\.tsbuildinfo$/.test(file)) rmSync(file)

  const needs = dependenciesOf(root, manifest)
  const external = (id) => {
    if (id.startsWith('node:') || isBuiltIn(id)) return true
    return Object.keys(needs).some((name) => (id === name || id.startsWith(`${name}/`)) && !isInside(name))
  }
  const bundle = await rolldown({
    cwd: source,
    platform: 'node',
    input: Object.fromEntries(ENTRIES.map((name) => [name, join(source, 'dist', `${name}.js`)])),
    external,
    // Groups without all that their files import want it; that an entry has no more exports than it is to have is checked below.
    preserveEntrySignatures: 'allow-extension',
    plugins: [
      { name: 'no-locales', resolveId: withoutLocales, load: (id) => (id === NOTHING ? 'export {}' : null) },
    ],
    onLog(level, log) {
      // That a file is one with others is what the groups are for.
      if (level === 'warn' && log.code !== 'INEFFECTIVE_DYNAMIC_IMPORT')
        throw new Error(`the bundle is doubtful: ${log.message}`)
    },
  })
  const { output } = await bundle.write({
    dir: join(folder, 'dist'),
    format: 'esm',
    sourcemap: true,
    sourcemapPathTransform: insideOf,
    // Names stay: stacks are read by people.
    minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
    codeSplitting: { groups: GROUPS, includeDependenciesRecursively: false },
    entryFileNames: '[name].js',
    chunkFileNames: 'chunk/[name]-[hash].js',
  })
  await bundle.close()
  checkPlaces(output)
  writeFileSync(join(folder, 'THIRD-PARTY.md'), licences(root))
  const files = [...manifest.files, 'THIRD-PARTY.md']
  const repository = repositoryField(root, 'packages/deployfile')
  const published = { ...manifest, ...repository, files, dependencies: needs }
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(published, null, 2)}\n`)
}

/**
 * Files that are always read together are one: each costs as much as 50 kB of code. `start` is what help and a wrong option need, `list`
 * what every command with a config needs; the rest is in files of its own.
 */
const GROUPS = [
  { name: 'zod', test: /node_modules\/zod\//, priority: 4 },
  {
    name: 'start',
    test: /node_modules\/commander\/|deployfile\/dist\/(version|cli\/(main|grammar|options|terminal)|render\/(problem|code-frame|style))\.js|core\/dist\/(problem\/problem|secret\/(redact|forms|registry)|task\/duration)\.js/,
    priority: 3,
  },
  {
    name: 'list',
    test: /core\/dist\/(config|host|plan|problem|schema|secret|task)\/|deployfile\/dist\/(cli\/(with-config|commands|print-list|list|describe|needs-tree|words|input-keys)|config\/(find|load|compiled|imported|import-module|run-compiled|own-modules|own-zod|project-copy)|index|run\/(run|request|result|confirm|limits|event-stream|program-answers))\.js|(recipes|postgres)\/dist\//,
    priority: 2,
  },
]

/**
 * Where a source map says that code was: inside the published package, so that a stack frame of it is known as ours also under
 * `node --enable-source-maps`. The text itself is in the map.
 */
function insideOf(source, map) {
  const file = resolve(dirname(map), source)
  const [, room = 'deployfile', path = ''] = /\/packages\/([^/]+)\/dist\/(.+)$/.exec(file) ?? []
  const [, library = ''] = /\/node_modules\/(.+)$/.exec(file) ?? []
  const place = path === '' ? `library/${library}` : `${room}/${path}`
  return `${dirname(map).endsWith('/chunk') ? '../' : ''}from/${place}`
}

/** Half of zod's size is messages in other languages; a config that speaks of them gets the project's own zod. */
function withoutLocales(id, importer = '') {
  return id.endsWith('/locales/index.js') && importer.includes('/zod/') ? NOTHING : null
}

const NOTHING = '\0nothing'

const isInside = (name) => INSIDE.includes(name) || name.startsWith('@deployfile/')
const isBuiltIn = (id) => process.getBuiltinModule?.(id) !== undefined

/** Its own, and those of the packages whose code is in the bundle. */
function dependenciesOf(root, manifest) {
  const all = { ...manifest.dependencies }
  for (const room of ROOMS) {
    const { dependencies = {} } = JSON.parse(
      readFileSync(join(root, 'packages', room, 'package.json'), 'utf8'),
    )
    Object.assign(all, dependencies)
  }
  // zod is what configs import, and types name it; commander is only ours.
  return Object.fromEntries(
    Object.entries(all)
      .filter(([name]) => name !== 'commander')
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )
}

/**
 * core/src/problem/location.ts knows stack frames of ours by the folder three above its own, where the packages lie side by side. That
 * is so in `dist/chunk` as well, and nowhere else in the bundle.
 */
function checkPlaces(output) {
  const astray = output.find(
    ({ fileName, code = '' }) =>
      /new URL\(['"`]\.\.\/\.\.\/\.\.['"`], import\.meta\.url\)/.test(code) &&
      !/^chunk\/[^/]+$/.test(fileName),
  )
  if (astray)
    throw new Error(
      `${astray.fileName} would take the project's own files for ours: it must be in dist/chunk`,
    )
}

function filesOf(folder) {
  if (!existsSync(folder)) mkdirSync(folder, { recursive: true })
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

function licences(root) {
  const texts = INSIDE.map((name) => {
    const folder = join(root, 'node_modules', name)
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    return `## ${name} ${version}\n\n${readFileSync(join(folder, 'LICENSE'), 'utf8').trim()}\n`
  })
  return ['# Code of others in `dist`\n', ...texts].join('\n')
}
