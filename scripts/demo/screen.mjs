// What the demo says, and the claims that it checks.
import { styleText } from 'node:util'

// util.styleText looks at the terminal by itself only from Node 22 on.
const colour = process.stdout.isTTY && !process.env.NO_COLOR
const style = (format, text) => (colour ? styleText(format, text) : text)

/** A claim of the demo that turned out false, or something that the demo needs and has not got: said without a stack. */
export class DemoFailed extends Error {}

export function say(text) {
  console.log(text)
}

export function heading(text) {
  console.log(`\n${style('bold', `── ${text}`)}`)
}

/** A command line as a person would type it. */
export function typed(text) {
  console.log(`\n${style('cyan', '$')} ${style('bold', text)}`)
}

/**
 * Compares what is with what was claimed, and says it.
 * @throws DemoFailed when they differ
 */
export function claim(sentence, actual, expected) {
  const [is, should] = [actual, expected].map((value) => JSON.stringify(value))
  if (is !== should) throw new DemoFailed(`Not true: ${sentence}\n  expected ${should}\n  found    ${is}`)
  console.log(`${style('green', '✔')} ${sentence}`)
}
