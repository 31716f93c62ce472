import { defineConfig, globalIgnores } from 'eslint/config'
import tseslint from 'typescript-eslint'

const leftOver = (name) => ({
  selector: `CallExpression[callee.object.name=/^(describe|it|test|suite)$/][callee.property.name='${name}']`,
  message: `.${name} hides tests: remove it, or use skipIf with the service that is missing.`,
})

export default defineConfig(
  globalIgnores(['**/dist/', '**/node_modules/', '**/.deployfile/', '**/.demo/', 'coverage/']),
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      // A number in a template string reads as itself; everything else still has to be turned into text on purpose.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // `() => stop()` is how callbacks are written here; only a value taken from void is a mistake.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      eqeqeq: 'error',
    },
  },
  {
    // The types of the DSL are written in the language's own terms: `any` where a parameter's variance must not be checked
    // (every task is an AnyTask), and `{}` for an input that needs nothing.
    files: ['packages/core/src/task/*.ts', 'packages/core/src/config/config.ts', '**/*.test-d.ts'],
    rules: {
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-empty-object-type': 'off',
    },
  },
  {
    // Type tests declare what is never run.
    files: ['**/*.test-d.ts'],
    rules: {
      '@typescript-eslint/no-unused-vars': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-invalid-void-type': 'off',
      '@typescript-eslint/no-meaningless-void-operator': 'off',
      '@typescript-eslint/no-unnecessary-type-assertion': 'off',
    },
  },
  {
    files: ['**/*.test.ts', '**/*.test-d.ts'],
    rules: {
      'no-restricted-syntax': ['error', ...['only', 'skip', 'todo'].map(leftOver)],
      // Tests assert first; `!` after an assertion is clearer there than a second check.
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
)
