import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

// Tests read the packages' sources, so that no test can pass or fail because of an old build.
const alias = [
  { find: /^@deployfile\/(core|shell|postgres|recipes)$/, replacement: here('./packages/$1/src/index.ts') },
  { find: /^deployfile$/, replacement: here('./packages/deployfile/src/index.ts') },
  { find: /^deployfile\/([a-z-]+)$/, replacement: here('./packages/deployfile/src/$1.ts') },
]

export default defineConfig({
  resolve: { alias },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['packages/*/test/**/*.test.ts', 'test/docs/**/*.test.ts', 'examples/*/*.test.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'types',
          include: [],
          typecheck: {
            enabled: true,
            only: true,
            include: ['packages/*/test/**/*.test-d.ts', 'test/**/*.test-d.ts'],
            tsconfig: './tsconfig.json',
            // Errors outside the type tests are `npm run check`'s to report, with their own lines.
            ignoreSourceErrors: true,
          },
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts', 'packages/*/integration/**/*.test.ts'],
          // After the unit tests: what is broken there says more than what breaks here because of it.
          sequence: { groupOrder: 1 },
          // Real servers take seconds to start, and two of them at once are enough for two cores.
          testTimeout: 30_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          sequence: { groupOrder: 2 },
          testTimeout: 180_000,
          hookTimeout: 180_000,
          maxWorkers: 1,
        },
      },
    ],
  },
})
