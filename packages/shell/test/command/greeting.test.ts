import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createOpening, type Greeting } from '../../src/command/greeting.ts'
import { sudoPrompt } from '../../src/command/sudo.ts'

const MARK = '0123456789abcdef'

function opened(prompt?: string) {
  const greetings: Greeting[] = []
  const prompts: number[] = []
  const opening = createOpening({
    mark: MARK,
    prompt,
    greeted: (greeting) => greetings.push(greeting),
    prompted: (times) => prompts.push(times),
  })
  return { opening, greetings, prompts }
}

const pieces = (text: string, cuts: readonly number[]): Buffer[] => {
  const bytes = Buffer.from(text)
  const places = [...new Set(cuts.map((at) => at % (bytes.length + 1)))].sort((a, b) => a - b)
  return [...places, bytes.length].map((end, at) => bytes.subarray(places[at - 1] ?? 0, end))
}

test('what comes after the greeting is the command’s, to the byte, however it was cut', () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.array(fc.nat(), { maxLength: 8 }),
      (banner, own, cuts) => {
        const { opening, greetings } = opened()
        const parts = pieces(`${banner}${MARK} 42 17 /bin/my shell\n${own}`, cuts)
        const taken = Buffer.concat(parts.map((part) => opening.stdout(part)))
        expect(taken).toEqual(Buffer.from(own))
        expect(greetings).toEqual([{ pid: 42, session: '17', shell: '/bin/my shell' }])
      },
    ),
  )
})

test('without a session there is none, and a terminal may end the line its own way', () => {
  const { opening, greetings } = opened()
  expect(opening.stdout(Buffer.from(`${MARK} 42  /bin/sh\r\nx`)).toString()).toBe('x')
  expect(greetings).toEqual([{ pid: 42, session: undefined, shell: '/bin/sh' }])
})

test('sudo’s question is told from output, counted, and shown to nobody', () => {
  const prompt = sudoPrompt(MARK)
  expect(prompt).not.toContain(MARK)
  const { opening, prompts } = opened(prompt)
  for (const part of pieces(`We trust you have received the usual lecture.\n${prompt}`, [3, 50, 60]))
    expect(opening.stderr(part)).toHaveLength(0)
  expect(prompts).toEqual([1])
  opening.stderr(Buffer.from(`Sorry, try again.\n${prompt}`))
  expect(prompts).toEqual([1, 2])
  expect(opening.said()).toEqual(['We trust you have received the usual lecture.', 'Sorry, try again.'])
})

test('errors that overtook the greeting are not lost', () => {
  const { opening } = opened(sudoPrompt(MARK))
  expect(opening.stderr(Buffer.from('early\n'))).toHaveLength(0)
  opening.stdout(Buffer.from(`${MARK} 1  /bin/sh\n`))
  expect(opening.stderr(Buffer.from('late\n')).toString()).toBe('early\nlate\n')
  expect(opening.rest()).toHaveLength(0)
})

test('a login shell that never stops talking is not kept in memory', () => {
  const { opening, greetings } = opened()
  for (let at = 0; at < 200; at++) opening.stdout(Buffer.alloc(64 * 1024, 'x'))
  expect(opening.said().join('').length).toBeLessThanOrEqual(64 * 1024)
  expect(opening.stdout(Buffer.from(`${MARK} 1  sh\nown`)).toString()).toBe('own')
  expect(greetings).toHaveLength(1)
})
