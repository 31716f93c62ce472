// The house has three floors and imports run down only (ARCHITECTURE.md):
//   deployfile → recipes, shell;  recipes → postgres;  all → core.
// Everything else that one package may not see of another is held here too.

const src = (names) => `^packages/(${names})/src/`
const npm = (names) => `node_modules/(${names})/`

/** A floor may import itself, the rooms named, and nothing else of the house. */
const floor = (name, below, why) => ({
  name: `floor-${name}`,
  comment: `${name} ${why}`,
  severity: 'error',
  from: { path: src(name) },
  to: { path: '^packages/[^/]+/(?!node_modules/)', pathNot: src([name, ...below].join('|')) },
})

module.exports = {
  forbidden: [
    floor('core', [], 'is the lowest floor: it imports no other package of the house.'),
    floor('shell', ['core'], "implements core's Shell port and imports only core."),
    floor('postgres', ['core'], "speaks to core's Shell port; never to the shell package."),
    floor('recipes', ['core', 'postgres'], "speaks to core's Shell port; never to the shell package."),
    floor('deployfile', ['core', 'shell', 'recipes'], 'imports recipes, shell and core.'),
    {
      name: 'public-face-only',
      comment:
        'Another package is imported by its name, so through its index.ts, never by a file of its inside.',
      severity: 'error',
      from: { path: '^packages/([^/]+)/' },
      to: { path: '^packages/([^/]+)/', pathNot: ['^packages/$1/', '^packages/[^/]+/src/index\\.ts$'] },
    },
    {
      name: 'core-brings-zod-only',
      comment: 'core depends on zod and on nothing else from npm.',
      severity: 'error',
      from: { path: src('core') },
      to: { path: 'node_modules/', pathNot: npm('zod') },
    },
    {
      name: 'core-disk-in-journal-only',
      comment: 'core knows no disk but the journal: node:fs belongs in core/src/journal.',
      severity: 'error',
      from: { path: src('core'), pathNot: '^packages/core/src/journal/' },
      to: { dependencyTypes: ['core'], path: '^(node:)?fs(/|$)' },
    },
    {
      name: 'core-reaches-nothing-outside',
      comment: 'core starts no process, opens no socket and writes to no screen: those are ports.',
      severity: 'error',
      from: { path: src('core') },
      to: {
        dependencyTypes: ['core'],
        path: '^(node:)?(child_process|cluster|dgram|dns|http2?|https|inspector|net|readline|repl|tls|tty|worker_threads)(/|$)',
      },
    },
    {
      name: 'no-circular',
      comment:
        'Two files that need each other at run time are one file, or a third is missing. ' +
        'In tests a circle that an `import type` or an `import()` breaks is none.',
      severity: 'error',
      from: { path: '^packages/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only', 'dynamic-import'] } },
    },
    {
      name: 'no-circle-of-types',
      comment:
        'No two files of a package lean on each other, neither by types nor by what is imported later: a third is missing. ' +
        'own-modules.ts is what hands a config the very program that loads it.',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/' },
      to: { circular: true, viaOnly: { pathNot: '/own-modules\\.ts$' } },
    },
    {
      name: 'no-test-code-in-src',
      comment: 'What is published imports neither tests nor tools of this repository.',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/' },
      to: { path: ['^packages/[^/]+/(test|integration)/', '^(test|scripts|bench|examples)/'] },
    },
    {
      name: 'no-undeclared-dependency',
      comment:
        "What src imports stands in its own package.json's dependencies, not in devDependencies or nowhere.",
      severity: 'error',
      from: { path: '^packages/[^/]+/src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-unresolvable',
      comment: 'An import that leads nowhere: a file that is missing, or a package that is not installed.',
      severity: 'error',
      from: { path: '^packages/' },
      to: { couldNotResolve: true },
    },
  ],
  options: {
    // Imports of types count as well: a floor that only names a type of the one above already leans on it.
    tsPreCompilationDeps: true,
    // Its `paths` lead the packages' names to their sources, so the rules hold without a build.
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^packages/[^/]+/dist/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
}
