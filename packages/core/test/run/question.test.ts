import { task, type Question, type TaskContext } from '@deployfile/core'
import { expect, test } from 'vitest'
import { runTasks } from './run-plan.ts'

type Confirm = TaskContext<unknown, object, unknown>['confirm']

// As JavaScript has it, or a config that nobody has compiled.
test.each<[string, unknown]>([
  ['a sentence', 'Sure?'],
  ['no answer', { message: 'All is lost.' }],
  ['an empty answer', { message: 'All is lost.', answer: '' }],
  ['nothing', undefined],
])(
  'a question that does not say what is to be typed is never put, and never answered: %s',
  async (_, said) => {
    const asked: Question[] = []
    const drop = task('drop', {
      async run({ confirm }) {
        await (confirm as (question: unknown) => ReturnType<Confirm>)(said)
        return 'dropped'
      },
    })
    const { outcome } = await runTasks([drop], {
      ask: (question) => {
        asked.push(question)
        return Promise.resolve()
      },
    })
    expect(asked).toEqual([])
    expect(outcome.status).toBe('failed')
    expect(outcome.failures[0]?.problem).toMatchObject({
      code: 'QUESTION_INVALID',
      message: "'drop' asks without saying what is to be typed",
    })
  },
)
