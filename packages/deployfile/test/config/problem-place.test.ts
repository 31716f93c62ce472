import { Problem } from '@deployfile/core'
import { expect, test } from 'vitest'
import { explainImport } from '../../src/config/explain.ts'

const FILE = '/project/deploy.config.ts'

function thrownFrom(problem: Problem): Problem {
  problem.stack = [
    `Problem: ${problem.message}`,
    '    at parseOptions (file:///project/node_modules/@deployfile/recipes/dist/deploy/parse-options.js:9:11)',
    '    at file:///project/deploy.config.ts:4:13',
    '    at ModuleJob.run (node:internal/modules/esm/module_job:343:25)',
  ].join('\n')
  return problem
}

test('what a recipe refuses gets the place of the call, and keeps all else', () => {
  const problem = thrownFrom(
    new Problem('usage', 'OPTION_INVALID', "deploy() has no option 'branhc'", {
      key: 'branhc',
      hint: 'Did …?',
    }),
  )
  const explained = explainImport(FILE, { thrown: problem, exactColumns: true })
  expect(explained).toMatchObject({
    kind: 'usage',
    code: 'OPTION_INVALID',
    message: problem.message,
    stack: problem.stack,
    details: { key: 'branhc', hint: 'Did …?', location: { file: FILE, line: 4, column: 13 } },
  })
})

test('a place that is known already is kept', () => {
  const location = { file: FILE, line: 1, column: 1 }
  const problem = thrownFrom(new Problem('usage', 'TASK_INVALID', 'no', { location }))
  expect(explainImport(FILE, { thrown: problem, exactColumns: true })).toBe(problem)
})
