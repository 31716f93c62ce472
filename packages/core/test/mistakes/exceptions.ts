import type { Mistake } from './mistake.ts'

/** Not one error: what the compiler cannot see or must not mind, and a cycle, which TypeScript itself tells at both ends. */
export const exceptions: readonly Mistake[] = [
  {
    title: 'unknown result',
    code: `task('a', { async run({ log }) { log('x'); return JSON.parse('1') as unknown }, undo({ result, outcome, log }) { log(String(result) + outcome) } })`,
    errors: [],
  },
  {
    title: 'any result',
    code: `task('a', { async run({ log }) { log('x'); return JSON.parse('1') }, undo({ result, outcome, log }) { log(String(result.x) + outcome) } })`,
    errors: [],
  },
  {
    title: 'void result',
    code: `task('a', { async run({ log }) { log('x') }, async undo({ log }) { log('x') } })`,
    errors: [],
  },
  {
    title: 'undo above run that asks for nothing (the load refuses it)',
    code: `task('x', { on: 'web', async undo() { await Promise.resolve() }, async run({ remote }) { return { a: remote.host.name } } })`,
    errors: [],
  },
  {
    title: 'undo above run where neither asks for anything (the load refuses it)',
    code: `task('x', { undo: () => undefined, run: () => ({ a: 1 }) })`,
    errors: [],
  },
  {
    title: 'two tasks that need each other',
    code: `const a = task('a', { needs: { b }, run: () => 1 })\nconst b = task('b', { needs: { a }, run: () => 1 })`,
    errors: [
      "1: 'a' implicitly has type 'any' because it does not have a type annotation and is referenced directly or indirectly in its own initializer.",
      "1: Block-scoped variable 'b' used before its declaration.",
      "1: Variable 'b' is used before being assigned.",
      "2: 'b' implicitly has type 'any' because it does not have a type annotation and is referenced directly or indirectly in its own initializer.",
    ],
  },
]
